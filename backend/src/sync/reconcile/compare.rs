//! A published account beside the ledger's.

use loyalty::Account;
use serde_json::Value;

/// In what a published account is not what the ledger says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drift {
    /// Nothing is published.
    Missing,
    /// It shows what was.
    Behind,
    /// It shows a change that the ledger does not know.
    Ahead,
    /// It is of the same change, and says something else.
    Different,
    /// It is no account.
    Unreadable,
}

/// In what these differ; none if they do not.
pub(super) fn compare(published: Option<&str>, ledger: &Account) -> Option<Drift> {
    let Some(published) = published else { return Some(Drift::Missing) };
    let json: Option<Value> = serde_json::from_str(published).ok();
    let Some(Ok(account)) = json.as_ref().map(|json| Account::read(&json)) else {
        return Some(Drift::Unreadable);
    };
    match account.seq.cmp(&ledger.seq) {
        _ if account == *ledger => None,
        std::cmp::Ordering::Less => Some(Drift::Behind),
        std::cmp::Ordering::Greater => Some(Drift::Ahead),
        std::cmp::Ordering::Equal => Some(Drift::Different),
    }
}

#[cfg(test)]
mod tests {
    use loyalty::Points;

    use super::*;

    #[test]
    fn a_published_account_differs_in_one_way_or_in_none() {
        let account =
            |seq, points| Account { seq, points: Points::new(points).unwrap(), ..Account::default() };
        let ledger = account(7, 100);
        let differs = |published: &str| compare(Some(published), &ledger);
        let text = |account: Account| account.to_json().unwrap();
        assert_eq!(differs(&text(ledger.clone())), None);
        assert_eq!(
            differs(r#"{ "pending": 0, "points": 100, "seq": 7, "v": 1 }"#),
            None,
            "written in another way"
        );
        assert_eq!(differs(&text(account(6, 90))), Some(Drift::Behind));
        assert_eq!(differs(&text(account(8, 100))), Some(Drift::Ahead));
        assert_eq!(differs(&text(account(7, 99))), Some(Drift::Different));
        assert_eq!(
            differs(&text(Account { tier: Some("gold".into()), ..ledger.clone() })),
            Some(Drift::Different)
        );
        assert_eq!(compare(None, &ledger), Some(Drift::Missing));
        for broken in
            ["", "{", "null", "[]", r#"{"v":2,"seq":7,"points":100,"pending":0}"#, r#"{"v":1,"seq":"7"}"#]
        {
            assert_eq!(differs(broken), Some(Drift::Unreadable), "{broken}");
        }
    }
}
