//! Liquid as storefronts render it: the language itself by its library, and what Shopify adds to it.
//!
//! The library refuses what it does not know; at Shopify that is nothing at all. So templates are rendered as Shopify
//! would, except for members of a loop's variable, which must be there.

mod filters;
mod forgiving;
mod locale;

use std::collections::HashMap;
use std::sync::Arc;

use liquid_core::parser::{self, Language};
use liquid_core::runtime::{PartialStore, RuntimeBuilder, Template};
use liquid_core::{BlockReflection, Error, Object, ParseBlock, Renderable, Result, TagBlock, TagTokenIter};
use liquid_lib::stdlib;

use forgiving::{Forgiven, Forgiving};
pub(crate) use locale::{Locale, LocaleError};

/// Templates that share their snippets, their language and where their assets are.
pub(crate) struct Liquid {
    language: Language,
    snippets: Snippets,
}

impl Liquid {
    /// Reads the snippets, given as name and text.
    ///
    /// # Errors
    /// When one of them is no Liquid.
    pub fn new(
        snippets: impl IntoIterator<Item = (String, String)>,
        locale: Locale,
        assets: &str,
        money: impl Fn(i64) -> String + Send + Sync + 'static,
    ) -> Result<Self> {
        let mut language = standard();
        filters::register(&mut language, locale, assets, money);
        let mut read = HashMap::new();
        for (name, text) in snippets {
            let template = Template::new(parser::parse(&text, &language)?);
            read.insert(name, Arc::new(Forgiven(template)) as Arc<dyn Renderable>);
        }
        Ok(Self { language, snippets: Snippets(read) })
    }

    /// A template with these variables.
    ///
    /// # Errors
    /// When it is no Liquid, or asks for what Shopify would refuse, too.
    pub fn render(&self, template: &str, variables: &Object) -> Result<String> {
        let template = Template::new(parser::parse(template, &self.language)?);
        let runtime = RuntimeBuilder::new().set_globals(variables).set_partials(&self.snippets).build();
        template.render(&Forgiving(&runtime))
    }
}

/// The tags and filters that blocks use, by the library.
fn standard() -> Language {
    let mut language = Language::empty();
    macro_rules! register {
        ($kind:ident: $($name:literal $item:ident),* $(,)?) => {
            $(language.$kind.register($name.to_owned(), stdlib::$item.into());)*
        };
    }
    register!(tags: "assign" AssignTag, "break" BreakTag, "continue" ContinueTag, "render" RenderTag);
    register!(blocks: "if" IfBlock, "unless" UnlessBlock, "for" ForBlock, "case" CaseBlock,
        "capture" CaptureBlock, "comment" CommentBlock, "raw" RawBlock);
    register!(filters: "append" Append, "prepend" Prepend, "default" Default, "escape" Escape, "plus" Plus,
        "minus" Minus, "times" Times, "divided_by" DividedBy, "floor" Floor, "at_least" AtLeast,
        "at_most" AtMost, "size" Size, "slice" Slice, "first" First);
    language.blocks.register("schema".to_owned(), Schema.into());
    language
}

/// `{% schema %}`: what the theme editor reads; nothing on the page.
#[derive(Debug, Clone, Copy)]
struct Schema;

impl BlockReflection for Schema {
    fn start_tag(&self) -> &'static str {
        "schema"
    }

    fn end_tag(&self) -> &'static str {
        "endschema"
    }

    fn description(&self) -> &'static str {
        "what the theme editor reads"
    }
}

impl ParseBlock for Schema {
    fn parse(
        &self,
        mut arguments: TagTokenIter<'_>,
        mut tokens: TagBlock<'_, '_>,
        _: &Language,
    ) -> Result<Box<dyn Renderable>> {
        arguments.expect_nothing()?;
        tokens.escape_liquid(false)?;
        tokens.assert_empty();
        Ok(Box::new(Template::new(Vec::new())))
    }

    fn reflection(&self) -> &dyn BlockReflection {
        self
    }
}

/// What `{% render %}` finds.
#[derive(Debug)]
struct Snippets(HashMap<String, Arc<dyn Renderable>>);

impl PartialStore for Snippets {
    fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    fn try_get(&self, name: &str) -> Option<Arc<dyn Renderable>> {
        self.0.get(name).cloned()
    }

    fn get(&self, name: &str) -> Result<Arc<dyn Renderable>> {
        self.try_get(name)
            .ok_or_else(|| Error::with_msg("there is no such snippet").context("name", name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn render(template: &str, variables: &Value) -> String {
        let locale =
            Locale::new("en", [("en", r#"{"points": {"one": "{{ n }} point", "other": "{{ n }} points"}}"#)]);
        let snippets = [("hold".to_owned(), "{{ account.hold.points | default: 0 }}".to_owned())];
        let liquid =
            Liquid::new(snippets, locale.unwrap(), "/assets/", |hundredths| format!("£{hundredths}"));
        let variables = liquid_core::to_object(variables).unwrap();
        liquid.unwrap().render(template, &variables).unwrap_or_else(|error| panic!("{template}: {error}"))
    }

    #[test]
    fn what_is_not_there_is_nothing() {
        for account in [json!(null), json!({}), json!([]), json!("text"), json!({"hold": 7})] {
            let variables = json!({"account": account});
            assert_eq!(render("[{{ account.hold.points }}]", &variables), "[]", "{account}");
            assert_eq!(
                render("{% assign it = account.hold %}[{{ it.points }}]", &variables),
                "[]",
                "{account}"
            );
            assert_eq!(render("{% render 'hold', account: account %}", &variables), "0", "{account}");
        }
        assert_eq!(render("{{ nobody['$app'].account.value }}", &json!({})), "");
    }

    #[test]
    fn what_shopify_adds_is_there() {
        let variables =
            json!({"text": "<b title=\"x\">", "n": 1, "file": {"$app": {"account": {"value": {"v": 1}}}}});
        for (template, expected) in [
            ("{{ 'points' | t: count: n, n: n }}", "1 point"),
            ("{{ 'points' | t: count: 2, n: 2 }}", "2 points"),
            ("{{ 'points.one' | t: n: text }}", "&lt;b title=&quot;x&quot;&gt; point"),
            ("{{ 'no.such' | t }}", "Translation missing: en.no.such"),
            ("{{ text | json | escape }}", "&quot;&lt;b title=\\&quot;x\\&quot;&gt;&quot;"),
            ("{{ file['$app'].account.value | json }}", "{\"v\":1}"),
            ("{{ nothing | json }}", "null"),
            ("{{ 'a.js' | asset_url }}", "/assets/a.js"),
            ("{{ 1250 | money }}", "£1250"),
            ("a{% schema %}{\"name\": \"{{ x }}\"}{% endschema %}b", "ab"),
        ] {
            assert_eq!(render(template, &variables), expected, "{template}");
        }
    }
}
