//! What the demo says: a line for each step, each command and each figure, with the time since it began.

use std::time::Instant;

use crate::support::Ran;
use crate::support::mail::Account;

/// Says lines with their time.
pub struct Teller(Instant);

impl Teller {
    /// Begins to count the time.
    pub fn begin() -> Self {
        Self(Instant::now())
    }

    /// Says that a step begins.
    pub fn step(&self, number: u32, what: &str) {
        self.line(&format!("{number}. {what}"));
    }

    /// Says a line of the step.
    pub fn say(&self, what: impl AsRef<str>) {
        self.line(&format!("   {}", what.as_ref()));
    }

    /// Says a command that was run, and how long it took.
    pub fn ran(&self, ran: &Ran) {
        let line = ran.line.replace(": sh -euc ", "# ").replacen(": ", "# ", 1);
        self.say(format!("{line}  [{} ms]", ran.took.as_millis()));
    }

    /// Says what became of the messages.
    pub fn account(&self, account: &Account) {
        let Account { acknowledged, lost, doubled, sent_again, unclear } = account;
        self.say(format!(
            "messages acknowledged with 250: {acknowledged}; lost: {}; told twice: {} by the servers, {} by the client, which \
             had no answer {unclear} times and sent again",
            lost.len(),
            doubled.len(),
            sent_again.len(),
        ));
    }

    /// Says that all held.
    pub fn end(&self) {
        self.line("all held");
    }

    fn line(&self, text: &str) {
        println!("{:7.2} s  {text}", self.0.elapsed().as_secs_f64());
    }
}
