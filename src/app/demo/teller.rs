//! Tells the tour: a line a step, in words or as JSON.

use std::io::{Write, stdout};

use serde_json::{Value, json};

use crate::clock::{Clock, Mono};

pub struct Teller {
    json: bool,
    clock: Clock,
    began: Mono,
}

impl Teller {
    pub fn new(json: bool, clock: Clock) -> Teller {
        Teller { json, clock, began: clock.mono() }
    }

    /// A step of the service: its name, in Chinese, in English, and what a program may want to know.
    pub fn step(&self, step: &str, zh: &str, en: &str, facts: Value) {
        self.tell("service", step, zh, en, facts);
    }

    /// The same of somebody: `bo`, `zh`.
    pub fn tell(&self, who: &str, step: &str, zh: &str, en: &str, facts: Value) {
        let at = self.clock.mono().since(self.began);
        if !self.json {
            let mut lines = en.lines();
            let first = lines.next().unwrap_or_default();
            self.line(&format!("{:>7.2}  {who:<7}  {zh} · {first}", at.as_secs_f64()));
            lines.for_each(|line| self.line(&format!("{:>18}{line}", "")));
            return;
        }
        let mut told = json!({"at_ms": at.as_millis() as u64, "who": who, "step": step, "zh": zh, "en": en});
        if let (Some(told), Value::Object(facts)) = (told.as_object_mut(), facts) {
            told.extend(facts);
        }
        self.line(&told.to_string());
    }

    /// A line as it is.
    pub fn line(&self, line: &str) {
        // a line on a closed pipe is nobody's loss
        let _ = writeln!(stdout(), "{line}");
    }
}
