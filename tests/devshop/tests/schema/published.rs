//! A schema as Shopify publishes it: introspection JSON, turned into SDL.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;

use apollo_compiler::Schema;
use apollo_compiler::validation::Valid;
use serde_json::Value;

pub struct Published {
    pub schema: Valid<Schema>,
    /// `Type.field`, `Type.field(argument:)`, `Enum.VALUE` of all that is deprecated.
    pub deprecated: BTreeSet<String>,
}

impl Published {
    /// Reads `{name}.json.gz` of npm's `@shopify/dev-mcp`.
    pub fn load(name: &str) -> Self {
        let folder = std::env::var_os("LOYALNEST_TEST_SCHEMAS").expect(
            "LOYALNEST_TEST_SCHEMAS must name the folder of the published schemas (dist/data of npm's \
             @shopify/dev-mcp 1.16.0); `cargo xtask test` sets it",
        );
        let file = std::fs::File::open(Path::new(&folder).join(format!("{name}.json.gz"))).unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
        let introspection: Value = serde_json::from_str(&text).unwrap();
        let mut writer = Writer::default();
        writer.schema(&introspection["data"]["__schema"]);
        let schema = Schema::parse_and_validate(writer.sdl, name).unwrap_or_else(|errors| panic!("{errors}"));
        Self { schema, deprecated: writer.deprecated }
    }
}

#[derive(Default)]
struct Writer {
    sdl: String,
    deprecated: BTreeSet<String>,
}

impl Writer {
    fn schema(&mut self, schema: &Value) {
        let root = |kind: &str| schema[kind]["name"].as_str();
        self.sdl.push_str("schema {");
        for (operation, kind) in [("query", "queryType"), ("mutation", "mutationType")] {
            if let Some(name) = root(kind) {
                write!(self.sdl, " {operation}: {name}").unwrap();
            }
        }
        self.sdl.push_str(" }\n");
        for directive in list(&schema["directives"]) {
            self.directive(directive);
        }
        for ty in list(&schema["types"]) {
            self.ty(ty);
        }
    }

    fn directive(&mut self, directive: &Value) {
        let name = text(&directive["name"]);
        if ["skip", "include", "deprecated", "specifiedBy"].contains(&name) {
            return;
        }
        write!(self.sdl, "directive @{name}").unwrap();
        self.arguments(&format!("@{name}"), &directive["args"]);
        let places: Vec<_> = list(&directive["locations"]).iter().map(text).collect();
        writeln!(self.sdl, " on {}", places.join(" | ")).unwrap();
    }

    fn ty(&mut self, ty: &Value) {
        let name = text(&ty["name"]);
        let built_in = ["String", "Int", "Float", "Boolean", "ID"].contains(&name) || name.starts_with("__");
        let names = |of: &Value| list(of).iter().map(|ty| text(&ty["name"]).to_owned()).collect::<Vec<_>>();
        match text(&ty["kind"]) {
            "SCALAR" if built_in => {}
            "OBJECT" if built_in => {}
            "ENUM" if built_in => {}
            "SCALAR" => writeln!(self.sdl, "scalar {name}").unwrap(),
            "UNION" => {
                writeln!(self.sdl, "union {name} = {}", names(&ty["possibleTypes"]).join(" | ")).unwrap()
            }
            "ENUM" => {
                writeln!(self.sdl, "enum {name} {{").unwrap();
                for value in list(&ty["enumValues"]) {
                    let value_name = text(&value["name"]);
                    self.note(value, format!("{name}.{value_name}"));
                    writeln!(self.sdl, "  {value_name}").unwrap();
                }
                self.sdl.push_str("}\n");
            }
            "INPUT_OBJECT" => {
                writeln!(self.sdl, "input {name} {{").unwrap();
                for field in list(&ty["inputFields"]) {
                    self.note(field, format!("{name}.{}", text(&field["name"])));
                    writeln!(self.sdl, "  {}", input_value(field)).unwrap();
                }
                self.sdl.push_str("}\n");
            }
            kind => {
                let keyword = if kind == "INTERFACE" { "interface" } else { "type" };
                write!(self.sdl, "{keyword} {name}").unwrap();
                let interfaces = names(&ty["interfaces"]);
                if !interfaces.is_empty() {
                    write!(self.sdl, " implements {}", interfaces.join(" & ")).unwrap();
                }
                self.sdl.push_str(" {\n");
                for field in list(&ty["fields"]) {
                    let coordinate = format!("{name}.{}", text(&field["name"]));
                    self.note(field, coordinate.clone());
                    write!(self.sdl, "  {}", text(&field["name"])).unwrap();
                    self.arguments(&coordinate, &field["args"]);
                    writeln!(self.sdl, ": {}", type_text(&field["type"])).unwrap();
                }
                self.sdl.push_str("}\n");
            }
        }
    }

    fn arguments(&mut self, of: &str, arguments: &Value) {
        let arguments = list(arguments);
        if arguments.is_empty() {
            return;
        }
        for argument in arguments {
            self.note(argument, format!("{of}({}:)", text(&argument["name"])));
        }
        let texts: Vec<_> = arguments.iter().map(input_value).collect();
        write!(self.sdl, "({})", texts.join(", ")).unwrap();
    }

    fn note(&mut self, thing: &Value, coordinate: String) {
        if thing["isDeprecated"] == true {
            self.deprecated.insert(coordinate);
        }
    }
}

fn input_value(value: &Value) -> String {
    let default = value["defaultValue"].as_str().map(|default| format!(" = {default}")).unwrap_or_default();
    format!("{}: {}{default}", text(&value["name"]), type_text(&value["type"]))
}

fn type_text(ty: &Value) -> String {
    match text(&ty["kind"]) {
        "NON_NULL" => format!("{}!", type_text(&ty["ofType"])),
        "LIST" => format!("[{}]", type_text(&ty["ofType"])),
        _ => text(&ty["name"]).to_owned(),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
