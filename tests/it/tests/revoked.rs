//! Tokens that Shopify refuses before their time: another is had once if there is one, nobody is pressed, nothing is lost.

use devshop::{AdminFault, AdminFaultKind, TokenCall};
use jiff::SignedDuration;
use loyalnest::config::Secret;
use loyalnest::merchants::{ShopError, set_up_due};
use loyalnest::shopify::admin::AdminError;
use loyalnest::sync;

use crate::publications::{Batch, opens};
use crate::support::door::{Door, SHOP};
use crate::support::{TestDb, on_both_engines};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

impl Batch {
    fn refreshes(&self) -> Vec<u16> {
        let calls = self.door.shop.token_calls();
        calls
            .iter()
            .filter(|call| call.grant == "refresh_token")
            .map(|call: &TokenCall| call.status)
            .collect()
    }

    /// How often the Admin API was asked with a token that it refused.
    fn refused(&self) -> usize {
        self.door.shop.admin_calls().iter().filter(|call| call.status == Some(401)).count()
    }

    async fn token(&self) -> Result<Secret, ShopError> {
        self.door.app.shops.token(&self.shop).await
    }

    async fn is_refused(&self) {
        let error = self.publish(&self.members).await.unwrap_err();
        assert!(matches!(error, sync::Error::Admin(AdminError::Unauthorized { status: 401 })), "{error:?}");
    }

    /// The workers look for an hour, less a minute; Shopify hears nothing of it.
    async fn leaves_shopify_alone(&self) {
        let (asked, tokens) = (self.door.shop.admin_calls().len(), self.door.shop.token_calls().len());
        for _ in 0..59 {
            self.door.advance(MINUTE);
            sync::publish_due(&self.door.app).await.unwrap();
        }
        assert_eq!((self.door.shop.admin_calls().len(), self.door.shop.token_calls().len()), (asked, tokens));
    }

    /// A merchant opens the app, and everything that waited goes out.
    async fn a_merchant_opens_the_app(&self) {
        opens(&self.door).await;
        assert_eq!(set_up_due(&self.door.app).await.unwrap(), 1);
        self.comes_right().await;
        assert!(self.all_are_published());
    }
}

#[test]
fn a_token_that_is_revoked_between_two_batches_is_refreshed_once_and_the_second_goes_out() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 55).await;
        let app = &batch.door.app;
        // One client for all batches, as a worker has it.
        let admin = batch.admin().await;
        for (at, members) in batch.members.chunks(25).enumerate() {
            let outcome = sync::publish(&app.db, &admin, &app.clock, batch.shop.id, members).await.unwrap();
            assert_eq!(outcome.published.len(), members.len(), "{at}");
            assert_eq!((batch.refreshes().len(), batch.refused()), (at.min(1), at.min(1)), "{at}");
            if at == 0 {
                batch.door.shop.revoke_access_tokens();
            }
        }
        assert!(batch.all_are_published());
    });
}

#[test]
fn whoever_meets_a_revoked_token_at_once_shares_one_refresh() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 4).await;
        let other = batch.door.another_process(test).await;
        let admins = [batch.admin().await, batch.admin().await, other.admin_of(&batch.shop).await.unwrap()];
        batch.door.shop.revoke_access_tokens();
        let [first, second, third] = admins.each_ref().map(|admin| admin.shop_details());
        let (first, second, third) = tokio::join!(first, second, third);
        assert!(first.is_ok() && second.is_ok() && third.is_ok(), "{first:?} {second:?} {third:?}");
        assert_eq!(batch.refreshes(), [200]);
    });
}

#[test]
fn a_token_that_ends_sooner_than_we_think_is_refreshed() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 3).await;
        // Our clock stands still.
        batch.door.shop.clock().advance(HOUR.unsigned_abs());
        assert_eq!(batch.publish(&batch.members).await.unwrap().published.len(), 3);
        assert_eq!(batch.refreshes(), [200]);
    });
}

#[test]
fn where_nothing_can_be_refreshed_the_shop_is_left_alone_until_a_merchant_opens_the_app() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 3).await;
        batch.door.shop.revoke_tokens();
        batch.is_refused().await;
        assert_eq!((batch.refreshes(), batch.refused()), (vec![400], 1));
        assert!(matches!(batch.token().await, Err(ShopError::NoToken)));
        batch.leaves_shopify_alone().await;
        batch.a_merchant_opens_the_app().await;
    });
}

#[test]
fn a_lasting_token_that_is_revoked_rests_and_its_members_stay_marked() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        let token = Secret::new(devshop::Settings::default().app.admin_token);
        door.app.shops.add(&door.app.admin, &SHOP.parse().unwrap(), &token).await.unwrap();
        let batch = Batch::at(test, door, 30).await;
        batch.door.shop.revoke_access_tokens();
        assert_eq!(sync::publish_due(&batch.door.app).await.unwrap(), 1, "turn");
        assert_eq!(batch.refused(), 1, "the second batch does not ask");
        assert!(matches!(batch.token().await, Err(ShopError::TokenRefused { .. })));
        for refused in 2..4 {
            batch.leaves_shopify_alone().await;
            assert_eq!(batch.waiting().await, 30);
            // Once more after the rest, should it have been Shopify's fault.
            batch.door.advance(2 * MINUTE);
            sync::publish_due(&batch.door.app).await.unwrap();
            assert_eq!(batch.refused(), refused);
        }
        batch.a_merchant_opens_the_app().await;
        assert!(batch.token().await.is_ok());
    });
}

#[test]
fn a_fresh_token_that_is_refused_rests_and_comes_right_by_itself() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 3).await;
        let refusal = AdminFault::before(AdminFaultKind::Status(401));
        batch.door.shop.fail_admin([refusal, refusal]);
        batch.is_refused().await;
        assert_eq!(batch.refreshes(), [200], "once");
        assert!(matches!(batch.token().await, Err(ShopError::TokenRefused { .. })));
        batch.leaves_shopify_alone().await;
        assert_eq!(batch.waiting().await, 3);
        batch.comes_right().await;
        assert!(batch.all_are_published());
    });
}

#[test]
fn while_nobody_can_be_asked_for_another_token_the_shop_is_left_alone_for_a_minute() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 3).await;
        batch.door.shop.revoke_access_tokens();
        batch.door.shop.fail_tokens([502]);
        batch.is_refused().await;
        assert!(matches!(batch.token().await, Err(ShopError::TokenRefused { .. })));
        batch.comes_right().await;
        assert_eq!(batch.refreshes(), [502, 200]);
        assert!(batch.all_are_published());
    });
}

#[test]
fn an_answer_that_says_refused_after_all_was_written_is_no_harm() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 3).await;
        batch.door.shop.fail_admin([AdminFault::after(AdminFaultKind::Status(401))]);
        // The write is repeated with another token, and finds what it wrote.
        batch.publish(&batch.members).await.unwrap();
        batch.comes_right().await;
        assert!(batch.all_are_published());
    });
}

#[test]
fn a_shop_that_uninstalls_in_mid_batch_is_not_asked_again_and_comes_back_whole() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 30).await;
        batch.publish(&batch.members[..25]).await.unwrap();
        batch.door.advance(MINUTE);
        batch.door.shop.uninstall_app();
        let error = batch.publish(&batch.members[25..]).await.unwrap_err();
        assert!(matches!(error, sync::Error::Admin(AdminError::Unauthorized { .. })), "{error:?}");
        let told = serde_json::json!({"id": 1});
        batch.door.webhook("gone", "app/uninstalled", batch.door.now(), &told).await;
        batch.leaves_shopify_alone().await;
        batch.door.shop.install_app();
        batch.a_merchant_opens_the_app().await;
    });
}

#[test]
fn a_token_of_staff_that_is_refused_is_not_replaced_by_the_shops_own() {
    on_both_engines(async |test: &TestDb| {
        let batch = Batch::of(test, 1).await;
        let admin = batch.door.app.admin.shop(&batch.shop.domain, &Secret::new("shpat_of_someone"));
        let error = admin.shop_details().await.unwrap_err();
        assert!(matches!(error, AdminError::Unauthorized { status: 401 }), "{error:?}");
        assert!(batch.refreshes().is_empty() && batch.token().await.is_ok());
    });
}
