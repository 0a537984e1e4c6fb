//! Where the milliseconds of a move went: the steps of the last run in `ims-switch history`, beside what the client
//! saw.

use jiff::Timestamp;
use serde_json::Value;

use crate::stage::GROUP;
use crate::support::Node;
use crate::support::mail::Outage;
use crate::teller::Teller;

/// The width of the longest bar.
const WIDTH: i64 = 48;

/// One line: what was done, from when to when, counted in milliseconds from the beginning of the run.
struct Bar {
    what: String,
    at: i64,
    took: i64,
}

/// Tells the steps of the node's last run.
pub fn tell(teller: &Teller, node: &Node, outage: &Outage) {
    let records = node.run(["ims-switch", "history", GROUP, "--last", "1"]).ok().records();
    let (run, steps) = records.split_first().expect("no run in the history");
    let began: Timestamp = text(run, "time").parse().expect("a run without a time");
    let offline = Bar {
        what: "the client saw no greeting".to_owned(),
        at: outage.began().duration_since(began).as_millis().try_into().unwrap_or(0),
        took: outage.length().as_millis().try_into().unwrap_or(i64::MAX),
    };
    let mut bars = vec![offline];
    for step in steps {
        let at = number(step, "at_ms");
        bars.push(Bar { what: name_of(step), at, took: number(step, "took_ms") });
        for part in step["parts"].as_array().into_iter().flatten() {
            let what = format!("  {}", text(part, "name"));
            bars.push(Bar { what, at: at + number(part, "at_ms"), took: number(part, "took_ms") });
        }
    }
    let end = bars.iter().map(|bar| bar.at + bar.took).max().unwrap_or(1).max(1);
    for bar in bars.iter().filter(|bar| bar.took > 0) {
        let scaled = |ms: i64| usize::try_from(ms.max(0) * WIDTH / end).unwrap_or(0);
        let drawn = format!("{}{}", " ".repeat(scaled(bar.at)), "#".repeat(scaled(bar.took).max(1)));
        teller.say(format!("{:<34} {:>6} {:>6} ms  |{drawn}", bar.what, bar.at, bar.took));
    }
}

/// A step as a reader says it: `mail-1 stop ldap`.
fn name_of(step: &Value) -> String {
    let words = ["node", "verb", "resource"];
    let words: Vec<&str> = words.iter().filter_map(|key| step[key].as_str()).collect();
    words.join(" ")
}

fn text<'a>(record: &'a Value, key: &str) -> &'a str {
    record[key].as_str().unwrap_or_else(|| panic!("no {key} in {record}"))
}

fn number(record: &Value, key: &str) -> i64 {
    record[key].as_i64().unwrap_or(0)
}
