//! Behaviours with a name.

use super::behaviour::Behaviour;
use super::catalogue::SCENARIOS;

/// Time from the answer to the receipt where a scenario says nothing else, in milliseconds.
const RECEIPT_MS: u64 = 500;

/// All scenarios: name and what it does.
pub fn scenario_names() -> impl Iterator<Item = (&'static str, &'static str)> {
    SCENARIOS.iter().map(|scenario| (scenario.name, scenario.what))
}

/// The behaviour of a named scenario; `None` if there is none of that name.
#[must_use]
pub fn scenario(name: &str, seed: u64) -> Option<Behaviour> {
    let base = Behaviour { seed, receipt_ms: RECEIPT_MS, ..Behaviour::default() };
    SCENARIOS.iter().find(|scenario| scenario.name == name).map(|scenario| (scenario.make)(base))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::magic_recipients;

    const MANUAL: &str = include_str!("../../../../docs/smpp.md");

    #[test]
    fn every_name_is_a_scenario_of_its_own_and_keeps_the_seed() {
        let mut seen: Vec<Behaviour> = Vec::new();
        for (name, _) in scenario_names() {
            let behaviour = scenario(name, 42).unwrap_or_else(|| panic!("{name} is listed and unknown"));
            assert_eq!(behaviour.seed, 42);
            assert!(!seen.contains(&behaviour), "{name} does what another one does");
            seen.push(behaviour);
        }
        assert_eq!(scenario("nonsense", 1), None);
    }

    /// The rows of the table in the manual that begins with this heading.
    fn rows_of(heading: &str) -> Vec<&'static str> {
        let (_, table) = MANUAL.split_once(heading).unwrap_or_else(|| panic!("docs/smpp.md has no table {heading}"));
        table.lines().skip(2).take_while(|line| line.starts_with('|')).collect()
    }

    #[test]
    fn the_manual_lists_every_scenario_and_magic_recipient() {
        let scenarios: Vec<String> = scenario_names().map(|(name, what)| format!("| `{name}` | {what} |")).collect();
        assert_eq!(rows_of("| scenario | what it does |"), scenarios, "docs/smpp.md:\n{}", scenarios.join("\n"));
        let magic: Vec<String> = magic_recipients().map(|(digits, what)| format!("| {digits} | {what} |")).collect();
        assert_eq!(rows_of("| ends in | what happens |"), magic, "docs/smpp.md:\n{}", magic.join("\n"));
    }
}
