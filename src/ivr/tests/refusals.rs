//! Flows that are refused, with the line that is to blame.

use super::INBOUND;
use crate::ivr::Flow;

const SMALL: &str = r#"start = "hello"

[defaults]
first_key_ms = 6000
between_keys_ms = 4000
tries = 3
store_ms = 5000
timeout_say = ["err.timeout"]
invalid_say = ["err.invalid"]
before_number = ["notice.antifraud"]
hangup = "end"

[say.hello]
say = ["greet.hello"]
next = "menu"

[menu.menu]
choices = [
  { key = 1, say = "opt.report", to = "bye" },
  { key = 9, to = "again" },
]
timeout = "bye"
invalid = "bye"
hangup = "end"

[say.bye]
say = ["greet.bye"]
next = "end"

[end.end]
"#;

/// The problems of the small flow after one change.
fn problems(from: &str, to: &str) -> Vec<String> {
    assert!(SMALL.contains(from), "{from}");
    match Flow::parse(&SMALL.replacen(from, to, 1), "f.toml") {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

#[track_caller]
fn refused(from: &str, to: &str, problem: &str) {
    let problems = problems(from, to);
    assert!(problems.iter().any(|found| found == problem), "{problem}\nis not among\n{}", problems.join("\n"));
}

#[test]
fn the_small_flow_is_a_flow() {
    assert_eq!(problems("greet.bye", "greet.bye"), Vec::<String>::new());
}

#[test]
fn a_menu_without_an_edge_is_refused() {
    refused("timeout = \"bye\"\n", "", "f.toml:17: `menu` has no `timeout` edge");
    refused("invalid = \"bye\"\n", "", "f.toml:17: `menu` has no `invalid` edge");
    refused("hangup = \"end\"\n\n[say.bye]", "[say.bye]", "f.toml:17: `menu` has no `hangup` edge");
}

#[test]
fn an_edge_to_nowhere_is_refused() {
    refused("to = \"bye\"", "to = \"by\"", "f.toml:19: there is no node `by`");
    refused("start = \"hello\"", "start = \"hallo\"", "f.toml:1: there is no node `hallo`");
    refused("next = \"end\"\n", "", "f.toml:26: `bye` has no `next` edge");
}

#[test]
fn a_node_that_nothing_leads_to_is_refused() {
    refused("[end.end]", "[say.alone]\nnext = \"end\"\n\n[end.end]", "f.toml:30: `alone` can't be reached");
}

#[test]
fn a_way_without_an_end_is_refused() {
    let found = problems("next = \"end\"", "next = \"menu\"");
    assert!(found.contains(&"f.toml:26: `bye` leads to no end".to_owned()), "{found:?}");
}

#[test]
fn a_loop_that_nobody_stops_is_refused_and_a_limit_allows_it() {
    let endless = "f.toml:17: `menu` is on a loop that no key and no limit stops";
    refused("timeout = \"bye\"", "timeout = \"hello\"", endless);
    let limited = SMALL.replacen("timeout = \"bye\"", "timeout = \"hello\"", 1);
    let limited = limited.replacen("next = \"menu\"", "next = \"menu\"\nvisits = 2\nthen = \"bye\"", 1);
    assert!(Flow::parse(&limited, "f.toml").is_ok());
}

#[test]
fn a_menu_has_the_keys_zero_to_nine_once_each() {
    refused("key = 9", "key = \"*\"", "f.toml:20: key \"*\": a menu has the keys 0-9 only");
    refused("key = 9", "key = \"#\"", "f.toml:20: key \"#\": a menu has the keys 0-9 only");
    refused("key = 9", "key = 10", "f.toml:20: key 10: a menu has the keys 0-9 only");
    refused("key = 9", "key = 1", "f.toml:20: key 1 is in menu `menu` twice");
}

#[test]
fn unknown_words_are_refused() {
    refused(
        "next = \"end\"",
        "nexd = \"end\"",
        "f.toml:28: unknown field `nexd`, expected one of `set`, `say`, \
         `interruptible`, `next`, `visits`, `then`, `hangup`",
    );
    refused("greet.hello", "hello", "f.toml:14: `hello` is no prompt's id");
    refused("greet.hello", "greet.hello if rain", "f.toml:14: `rain` is nothing that can hold");
    refused("\"greet.hello\"", "\"{greet}\"", "f.toml:14: `{greet}` is nothing that can be said");
}

#[test]
fn figures_out_of_range_are_refused() {
    refused("tries = 3", "tries = 0", "f.toml:6: 0 is not within 1-9");
    refused("first_key_ms = 6000", "first_key_ms = 0", "f.toml:4: 0 is not within 1-600000");
}

#[test]
fn two_nodes_of_one_name_are_refused() {
    let what = "f.toml:30: two nodes are named `bye`";
    refused("[end.end]", "[end.bye]\n[end.end]", what);
}

#[test]
fn a_hang_up_leads_to_no_menu() {
    let what = "f.toml:17: `menu` leads a caller who hung up to `bye`, which wants a caller";
    refused("hangup = \"end\"\n\n[say.bye]", "hangup = \"bye\"\n\n[say.bye]", what);
}

#[test]
fn a_question_needs_an_edge_for_each_reply_and_no_other() {
    let without = INBOUND.replacen("locked = \"locked\", failed = \"store_away\"", "failed = \"store_away\"", 1);
    let with = INBOUND.replacen("on = { urged = \"urged\"", "on = { found = \"status\", urged = \"urged\"", 1);
    let what = |text: &str| Flow::parse(text, "f.toml").expect_err("a problem")[0].what.clone();
    assert_eq!(what(&without), "`lookup` has no edge for Locked");
    assert_eq!(what(&with), "`urge` never ends in Found");
}

#[test]
fn no_text_at_all_is_a_problem_and_no_panic() {
    for text in ["", "[", "start = 3", "\u{0}", "[say.a]\nsay = 5"] {
        assert!(Flow::parse(text, "f.toml").is_err(), "{text:?}");
    }
}

#[test]
fn a_choice_offers_one_of_six_topics_or_its_own_words() {
    let own = "say = \"opt.report\", to";
    assert_eq!(problems(own, "topic = 6, to"), Vec::<String>::new());
    refused(own, "topic = 7, to", "f.toml:19: 7 is not within 1-6");
    refused(own, "topic = 0, to", "f.toml:19: 0 is not within 1-6");
    refused(own, "say = \"opt.report\", topic = 1, to", "f.toml:19: a choice has `say` or `topic`, not both");
}
