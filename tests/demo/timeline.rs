//! Where the milliseconds of a move went: the steps of the last run in `ims-switch history`, beside what the client
//! saw.

use crate::stage::GROUP;
use crate::support::Node;
use crate::support::mail::Outage;
use crate::teller::Teller;

/// Tells the steps of the node's last run.
pub fn tell(teller: &Teller, node: &Node, outage: &Outage) {
    teller.say(format!("the client saw no greeting for {} ms", outage.length().as_millis()));
    let history = node.run(["ims-switch", "history", GROUP]).ok();
    for record in history.records() {
        teller.say(record.to_string());
    }
}
