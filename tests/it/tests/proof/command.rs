//! `loyalnest audit` as auditors run it: what it prints, and how it ends.

use std::process::Command;

use clap::Parser;
use loyalnest::cli::{self, Cli};
use loyalnest::db;
use serde_json::{Value, json};

use crate::support::counter::Counter;
use crate::support::{TestDb, on_both_engines};

const ADA: i64 = 4_101_101;

/// What the command is started with, word by word.
const WORDS: &str = "LOYALNEST_TEST_COMMAND";

/// The program: this very test binary, which ends as the program does.
#[test]
#[ignore = "started by the test below"]
fn the_program() {
    let words = std::env::var(WORDS).unwrap();
    let cli = Cli::parse_from(std::iter::once("loyalnest").chain(words.split_whitespace()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let code = runtime.block_on(cli::run(cli)).map_or_else(|error| error.exit_code(), |()| 0);
    std::process::exit(code.into());
}

/// How an audit ends, and what it says as JSON, if it does.
fn audit(test: &TestDb, words: &str) -> (Option<i32>, Value) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "proof::command::the_program", "--ignored", "--nocapture"])
        .env(WORDS, format!("audit {words}"))
        .env("DATABASE_URL", &test.url)
        .env("SHOPIFY_API_SECRET", "hush")
        .env("LOYALNEST_ENCRYPTION_KEY", "5a".repeat(32))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let json = said.lines().find_map(|line| serde_json::from_str(&line[line.find('{')?..]).ok());
    (output.status.code(), json.unwrap_or_default())
}

#[test]
fn an_audit_ends_with_0_when_all_holds_1_when_not_and_2_when_nobody_knows() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        counter.member(ADA).await;
        let given = json!({"points": 500, "reason": "goodwill"});
        counter.post(&format!("/api/members/{ADA}/adjustments"), "k1", &given).await.json();
        let (code, said) = audit(test, "--json --verify-chain");
        assert_eq!((code, &said["violations"]), (Some(0), &0.into()), "{said}");
        assert!(said["shops"][0]["postings"].as_i64().unwrap() > 0, "{said}");
        let domain = said["shops"][0]["shop"].as_str().unwrap().to_owned();

        for words in ["--json --shop none.myshopify.com", "--as-of 2026-11-30T12:00:00", "--as-of tomorrow"] {
            assert_eq!(audit(test, words), (Some(2), Value::Null), "{words}");
        }

        let mut tx = test.db.begin(counter.id).await.unwrap();
        db!(tx.execute, "update points_accounts set pending = pending + 1 where shop_id = $1", counter.id)
            .unwrap();
        tx.commit().await.unwrap();
        // A shop that has left is looked at, too.
        let mut tx = test.db.begin_outside().await.unwrap();
        db!(tx.execute, "update merchants_shops set uninstalled_at = updated_at, sealed_token = null")
            .unwrap();
        tx.commit().await.unwrap();
        for words in ["--json".to_owned(), format!("--json --shop {domain}")] {
            let (code, said) = audit(test, &words);
            assert_eq!(code, Some(1), "{said}");
            assert!(
                said["shops"][0]["invariants"]["balances_are_their_postings"].as_i64() > Some(0),
                "{said}"
            );
        }
        // Before anything was booked, nothing was wrong.
        assert_eq!(audit(test, "--json --as-of 2020-01-01").0, Some(0));
    });
}
