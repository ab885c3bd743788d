//! Whether the backend knows that the app is in a shop, and since when. It may be wrong: `app/uninstalled` comes late, perhaps
//! after the app was installed again.

use anyhow::{Context, Result, bail};
use devshop::Surface;
use loyalnest::db::Db;
use loyalnest::merchants::ShopError;

use super::{Shop, Trouble, World};
use crate::steps::OWNER;

/// Since when the app is in the shop, and whether there are tokens for it: Shopify may have refused them for good.
const INSTALLED: &str =
    "select case when uninstalled_at is null then installed_at end, sealed_token is not null
    from merchants_shops where shop_id = $1";

impl World {
    /// The merchant opens the app, in a shop in which it is: whatever the backend has not known or has no token for, it gets.
    /// Says whether they got in: where Shopify fails, they do not.
    pub fn open_app(&mut self) -> Result<bool, Trouble> {
        let local = &self.here().local;
        let (token, domain) = (local.session_token(Surface::Admin(OWNER)), local.settings().domain.clone());
        let (app, domain) = (self.process.app.clone(), domain.parse().map_err(anyhow::Error::from)?);
        let opened = self.process.finish(async move {
            match app.shops.install(&app.admin, &domain, &token).await {
                Ok(shop) => Ok(Some(shop.id)),
                Err(ShopError::Database(error)) => Err(error.into()),
                Err(_) => Ok(None),
            }
        })?;
        self.tell_the_time();
        let Some(id) = opened else { return Ok(false) };
        self.here().id = id;
        self.hear_of_installs()?;
        match self.here().model.installed_at {
            Some(_) => Ok(true),
            None => Err(Trouble::Violation("the app was opened, and is not there".into())),
        }
    }

    /// Whether staff get into the app: where it may have lost its tokens, it gets others as they open it.
    pub fn staff_get_in(&mut self) -> Result<bool, Trouble> {
        Ok(!self.here().was_out || self.open_app()?)
    }

    /// Where the app was out and is in again, the merchant opens it once more, and what was not told meanwhile is looked at.
    pub fn come_back(&mut self) -> Result<(), Trouble> {
        let here = self.here;
        for at in 0..self.shops.len() {
            if self.shops[at].was_out && !self.shops[at].is_out {
                self.here = at;
                self.open_app()?;
                self.look_at_shelves()?;
            }
        }
        self.here = here;
        Ok(())
    }

    /// Staff who open a page may have the app installed again: tells the models where that is so.
    pub fn hear_of_installs(&mut self) -> Result<()> {
        for at in 0..self.shops.len() {
            if self.shops[at].was_out {
                let (installed_at, has_tokens) = self.installed_at(at)?;
                self.shops[at].model.installed_at = installed_at;
                self.shops[at].has_tokens = has_tokens;
            }
        }
        Ok(())
    }

    /// Since when the backend knows that the app is in a shop, and whether it has tokens for it. Of one that was erased it knows
    /// nothing.
    pub fn installed_at(&self, at: usize) -> Result<(Option<i64>, bool)> {
        let Db::Sqlite { readers, .. } = &self.process.app.db else { bail!("not on SQLite") };
        let shop = self.shops[at].id.0;
        let found = self.process.finish(async {
            sqlx::query_as(INSTALLED).bind(shop).fetch_optional(readers).await.context("a shop")
        })?;
        Ok(found.unwrap_or((None, false)))
    }
}

impl Shop {
    /// Whether shoppers and staff find the app: it is there, and the backend knows it.
    pub fn has_app(&self) -> bool {
        !self.is_out && self.has_tokens && self.model.installed_at.is_some()
    }
}
