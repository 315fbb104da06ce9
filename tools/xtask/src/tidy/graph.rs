//! Arrows between the crates point downwards only.

use serde_json::Value;

use super::finding::Finding;

/// What each crate of the house may use, tests included. Everything else is a finding, and so is a crate without a row.
const ALLOWED: &[(&str, &[&str])] = &[
    ("text", &[]),
    ("smpp", &[]),
    ("domain", &["text"]),
    ("store", &["domain", "text"]),
    ("flow", &["smpp", "store", "domain", "text"]),
    ("web", &["flow", "store", "domain", "text"]),
    ("posthorn", &["web", "flow", "smpp", "store", "domain", "text", "simulator"]),
    ("foreign", &[]),
    ("simulator", &["smpp", "domain", "text"]),
    ("loadgen", &[]),
    ("xtask", &[]),
    ("story-tests", &["domain"]),
];

/// Test code of these may use the simulator as the other end of the line.
const TESTED_WITH_SIMULATOR: &[&str] = &["flow", "web", "posthorn"];
/// Test code of these may use ends that others wrote.
const TESTED_WITH_FOREIGN: &[&str] = &["smpp", "flow"];

/// Checks `cargo metadata` against the table.
pub fn check(metadata: &Value) -> Vec<Finding> {
    let empty = Vec::new();
    let packages = metadata["packages"].as_array().unwrap_or(&empty);
    let ours: Vec<&Value> = packages.iter().filter(|package| package["source"].is_null()).collect();
    let names: Vec<&str> = ours.iter().filter_map(|package| package["name"].as_str()).collect();
    let mut findings = Vec::new();
    for package in &ours {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == name) else {
            findings.push(Finding::file(name, "a crate without a row in the table of allowed arrows"));
            continue;
        };
        for dependency in package["dependencies"].as_array().unwrap_or(&empty) {
            let used = dependency["name"].as_str().unwrap_or_default();
            let in_tests = dependency["kind"].as_str() == Some("dev");
            let excused = in_tests
                && match used {
                    "simulator" => TESTED_WITH_SIMULATOR.contains(&name),
                    "foreign" => TESTED_WITH_FOREIGN.contains(&name),
                    _ => false,
                };
            if names.contains(&used) && !allowed.contains(&used) && !excused {
                findings.push(Finding::file(
                    name,
                    format!("uses `{used}`: arrows between the crates point downwards only"),
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_arrow_upwards_is_found() {
        let metadata = json!({"packages": [
            {"name": "text", "source": null, "dependencies": [{"name": "web", "kind": null}]},
            {"name": "web", "source": null, "dependencies": [{"name": "text", "kind": null}, {"name": "serde", "kind": null}]},
            {"name": "flow", "source": null, "dependencies": [{"name": "simulator", "kind": "dev"}]},
            {"name": "simulator", "source": null, "dependencies": []},
            {"name": "serde", "source": "registry", "dependencies": [{"name": "web", "kind": null}]},
            {"name": "common", "source": null, "dependencies": []},
        ]});
        let said: Vec<String> = check(&metadata).iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "text: uses `web`: arrows between the crates point downwards only",
                "common: a crate without a row in the table of allowed arrows"
            ]
        );
    }
}
