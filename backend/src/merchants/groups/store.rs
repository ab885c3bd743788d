//! Groups in the database. They cross tenants by nature: this is the one file in which a shop's request touches rows of
//! other shops, and of those it reads nothing but names and domains.

use uuid::Uuid;

use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::ShopId;

crate::holds! {
    merchants_groups [group_id] of Nobody, kept "until the last shop leaves" { group_id: Id, created_at: Time }
}
crate::holds! {
    merchants_group_shops [shop_id] of Nobody, kept "until the shop leaves" {
        shop_id: Id, group_id: Id, joined_at: Time,
    }
}
crate::holds! {
    merchants_group_invitations [code_hash] of Nobody, kept "for some days after its time is over" {
        code_hash: Sealed, group_id: Id, shop_id: Id, expires_at: Time, used_at: Time,
    }
}

/// The group that a shop is in.
pub(super) async fn of_shop(read: &mut Read, shop: ShopId) -> Result<Option<Uuid>, db::Error> {
    let group: Option<(Uuid,)> =
        db!(read.optional, "select group_id from merchants_group_shops where shop_id = $1", shop)?;
    Ok(group.map(|(group,)| group))
}

/// Locks a group until the transaction ends, and says whether it is still there.
pub(super) async fn lock(tx: &mut Tx, group: Uuid) -> Result<bool, db::Error> {
    let found: Option<(Uuid,)> = db!(tx.optional,
        sqlite: "select group_id from merchants_groups where group_id = $1",
        postgres: "select group_id from merchants_groups where group_id = $1 for update",
        group)?;
    Ok(found.is_some())
}

/// What shops of a group see of each other.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Neighbour {
    pub name: String,
    pub domain: String,
    pub joined_at: Timestamp,
}

/// The shops of a group, in the order in which they joined.
pub(super) async fn shops(read: &mut Read, group: Uuid) -> Result<Vec<Neighbour>, db::Error> {
    db!(
        read.all,
        "select s.name, s.domain, g.joined_at from merchants_group_shops g
         join merchants_shops s on s.shop_id = g.shop_id
         where g.group_id = $1 order by g.joined_at, s.domain",
        group
    )
}

pub(super) async fn create(tx: &mut Tx, group: Uuid, now: Timestamp) -> Result<(), db::Error> {
    db!(tx.execute, "insert into merchants_groups (group_id, created_at) values ($1, $2)", group, now)?;
    Ok(())
}

/// Puts a shop into a group, unless it is in one, and says whether it did.
pub(super) async fn join(tx: &mut Tx, shop: ShopId, group: Uuid, now: Timestamp) -> Result<bool, db::Error> {
    let joined = db!(
        tx.execute,
        "insert into merchants_group_shops (shop_id, group_id, joined_at) values ($1, $2, $3)
         on conflict (shop_id) do nothing",
        shop,
        group,
        now
    )?;
    Ok(joined > 0)
}

/// Takes a shop out of a group with its invitations; a group without shops ends. The group is locked.
pub(super) async fn leave(tx: &mut Tx, shop: ShopId, group: Uuid) -> Result<bool, db::Error> {
    let left = db!(
        tx.execute,
        "delete from merchants_group_shops where shop_id = $1 and group_id = $2",
        shop,
        group
    )?;
    db!(
        tx.execute,
        "delete from merchants_group_invitations where shop_id = $1 and group_id = $2",
        shop,
        group
    )?;
    db!(
        tx.execute,
        "delete from merchants_groups
         where group_id = $1 and not exists (select 1 from merchants_group_shops where group_id = $1)",
        group
    )?;
    Ok(left > 0)
}

/// How many invitations of a shop are open.
pub(super) async fn open_invitations(
    read: &mut Read,
    shop: ShopId,
    now: Timestamp,
) -> Result<i64, db::Error> {
    let (count,): (i64,) = db!(
        read.one,
        "select count(*) from merchants_group_invitations
         where shop_id = $1 and used_at is null and expires_at > $2",
        shop,
        now
    )?;
    Ok(count)
}

/// Keeps an invitation. Old ones of the shop are forgotten a day after they are over.
pub(super) async fn invite(
    tx: &mut Tx,
    invitation: &Invitation,
    forget_before: Timestamp,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "delete from merchants_group_invitations where shop_id = $1 and expires_at < $2",
        invitation.shop_id,
        forget_before
    )?;
    db!(
        tx.execute,
        "insert into merchants_group_invitations (code_hash, group_id, shop_id, expires_at)
         values ($1, $2, $3, $4)",
        invitation.code_hash,
        invitation.group_id,
        invitation.shop_id,
        invitation.expires_at
    )?;
    Ok(())
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct Invitation {
    pub code_hash: Vec<u8>,
    pub group_id: Uuid,
    /// The shop that invited.
    pub shop_id: ShopId,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

pub(super) async fn invitation(read: &mut Read, code_hash: &[u8]) -> Result<Option<Invitation>, db::Error> {
    db!(
        read.optional,
        "select code_hash, group_id, shop_id, expires_at, used_at from merchants_group_invitations
         where code_hash = $1",
        code_hash
    )
}

/// Uses an invitation up, unless someone has, and says whether it did.
pub(super) async fn use_up(tx: &mut Tx, code_hash: &[u8], now: Timestamp) -> Result<bool, db::Error> {
    let used = db!(
        tx.execute,
        "update merchants_group_invitations set used_at = $2 where code_hash = $1 and used_at is null",
        code_hash,
        now
    )?;
    Ok(used > 0)
}
