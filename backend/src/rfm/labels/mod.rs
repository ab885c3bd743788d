//! Labels: the groups of members where merchants look for customers, in Shopify's own lists.
//!
//! ```text
//! everyone is scored ─► whoever is in another group than Shopify shows ─► a metafield by which customers are filtered
//!                                                                       └► a tag, where the merchant wishes
//! ```
//!
//! They are written every night after everyone was scored, and only what changed. What is right at once stands in the
//! account's metafield, which is another one. Nothing of ours reads labels.

mod jobs;
mod store;

use loyalty::rfm::Group;

pub use jobs::Label;
pub(super) use jobs::label_soon;
pub(super) use store::forget;

/// What tags begin with.
const TAG: &str = "loyalty: ";

/// The tag of a group.
fn tag(group: &str) -> String {
    format!("{TAG}{}", group.replace('_', " "))
}

/// Whether a tag is one of ours, and none of the merchant's own.
pub fn is_label(tag: &str) -> bool {
    tag.get(..TAG.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(TAG))
}

/// The tags of all groups but this one.
fn other_tags(group: Option<&str>) -> Vec<String> {
    Group::ALL.map(Group::as_str).into_iter().filter(|other| Some(*other) != group).map(tag).collect()
}
