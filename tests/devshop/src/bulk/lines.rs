//! From the answer of a query to its lines: each node of a connection is one, those below it name their parent.

use serde_json::{Map, Value};

use super::BulkFaults;

/// The file of an answer.
pub(crate) fn lines(data: &Value, faults: &BulkFaults) -> String {
    let mut nodes = Vec::new();
    for root in data.as_object().into_iter().flat_map(Map::values) {
        children(root, None, &mut nodes);
    }
    let mut lines: Vec<String> = nodes.iter().map(Value::to_string).collect();
    if faults.reversed {
        lines.reverse();
    }
    faults.lines_before.iter().chain(&lines).map(|line| format!("{line}\n")).collect()
}

/// The nodes of a connection; nothing of what is none.
fn children(connection: &Value, parent: Option<&str>, lines: &mut Vec<Value>) {
    for node in connection["edges"].as_array().into_iter().flatten().map(|edge| &edge["node"]) {
        let Some(node) = node.as_object() else { continue };
        let is_connection = |value: &Value| value["edges"].is_array();
        let mut line: Map<String, Value> = node
            .iter()
            .filter(|(_, value)| !is_connection(value))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        let id = line.get("id").and_then(Value::as_str).map(str::to_owned);
        if let Some(parent) = parent {
            line.insert("__parentId".to_owned(), parent.into());
        }
        lines.push(Value::Object(line));
        for below in node.values() {
            children(below, id.as_deref(), lines);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_node_below_another_is_a_line_of_its_own_and_names_its_parent() {
        let data = json!({"customers": {"edges": [
            {"node": {"id": "a", "metafield": {"value": "1"}, "orders": {"edges": [{"node": {"id": "b"}}]}}},
            {"node": {"id": "c", "metafield": null}},
        ]}});
        let file = lines(&data, &BulkFaults::default());
        let expected = "{\"id\":\"a\",\"metafield\":{\"value\":\"1\"}}\n{\"id\":\"b\",\"__parentId\":\"a\"}\n\
                        {\"id\":\"c\",\"metafield\":null}\n";
        assert_eq!(file, expected);
        let faults = BulkFaults { reversed: true, lines_before: vec!["x".into()], ..BulkFaults::default() };
        assert!(lines(&data, &faults).starts_with("x\n{\"id\":\"c\""));
    }
}
