//! What a disk says of its own health, as smartctl(8) of smartmontools tells it (`smartctl --json`, version 7).

use std::path::Path;
use std::time::Duration;

use ims::sys::exec::{self, Line};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A summary.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Smart {
    /// Whether the disk calls itself in order; absent when it says nothing.
    pub passed: Option<bool>,
    /// Places that it cannot read any more and has not given up: pending and uncorrectable sectors (ATA), media errors
    /// (`NVMe`), uncorrected errors (SCSI).
    pub bad: Option<u64>,
    /// How much of its life a flash disk has used up by its maker's estimate, in percent.
    pub worn_percent: Option<u64>,
    /// Its temperature in degrees Celsius.
    pub temperature_c: Option<i64>,
    /// Why nothing can be told of it.
    pub why: Option<String>,
}

impl Smart {
    /// What is wrong, in words.
    pub fn trouble(&self) -> Option<String> {
        match (self.passed, self.bad) {
            (Some(false), _) => Some("says that it is about to fail".to_owned()),
            (_, Some(bad @ 1..)) => Some(format!("counts {bad} places that it cannot read")),
            (_, _) => None,
        }
    }
}

/// Asks a disk; none where there is no smartctl. It waits for the disk: this belongs into a hand.
pub fn ask(disk: &Path, timeout: Duration) -> Option<Smart> {
    if !exec::is_there("smartctl") {
        return None;
    }
    // A disk that sleeps is not woken.
    let line =
        Line::new(["smartctl", "--json=c", "--health", "--attributes", "--log=error", "--nocheck=standby"]);
    let cannot = |why: String| Smart { why: Some(why), ..Smart::default() };
    Some(match line.arg(disk).run(timeout) {
        Ok(ended) => parse(&ended.stdout).unwrap_or_else(|e| cannot(format!("smartctl: {e}"))),
        Err(fail) => cannot(fail.to_string()),
    })
}

/// Reads what smartctl printed. Its exit status is bits that the text holds too.
fn parse(text: &[u8]) -> Result<Smart, serde_json::Error> {
    let told: Told = serde_json::from_slice(text)?;
    let ata = told.ata_smart_attributes.map(|attributes| {
        let bad = attributes.table.iter().filter(|attribute| matches!(attribute.id, PENDING | UNCORRECTABLE));
        bad.map(|attribute| attribute.raw.value).fold(0, u64::saturating_add)
    });
    let scsi = told.scsi_error_counter_log.map(|log| {
        let all = [log.read, log.write, log.verify];
        all.into_iter().flatten().map(|counts| counts.total_uncorrected_errors).fold(0, u64::saturating_add)
    });
    let nvme = told.nvme_smart_health_information_log;
    let passed = told.smart_status.and_then(|status| status.passed);
    let error = told.smartctl.messages.into_iter().find(|message| message.severity == "error");
    Ok(Smart {
        passed,
        bad: ata.or(scsi).or(nvme.as_ref().map(|log| log.media_errors)),
        worn_percent: nvme.as_ref().map(|log| log.percentage_used),
        temperature_c: told.temperature.and_then(|temperature| temperature.current),
        why: error.map(|message| message.string).filter(|_| passed.is_none()),
    })
}

/// The attributes of ATA disks that count sectors which cannot be read: `Current_Pending_Sector` and
/// `Offline_Uncorrectable`.
const PENDING: u64 = 197;
const UNCORRECTABLE: u64 = 198;

/// The part of its output that is looked at.
#[derive(Debug, Deserialize)]
struct Told {
    smartctl: Smartctl,
    smart_status: Option<Status>,
    temperature: Option<Temperature>,
    ata_smart_attributes: Option<Attributes>,
    nvme_smart_health_information_log: Option<Nvme>,
    scsi_error_counter_log: Option<Scsi>,
}

#[derive(Debug, Deserialize)]
struct Smartctl {
    #[serde(default)]
    messages: Vec<Message>,
}

#[derive(Debug, Deserialize)]
struct Message {
    string: String,
    severity: String,
}

#[derive(Debug, Deserialize)]
struct Status {
    passed: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Temperature {
    current: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Attributes {
    table: Vec<Attribute>,
}

#[derive(Debug, Deserialize)]
struct Attribute {
    id: u64,
    raw: Raw,
}

#[derive(Debug, Deserialize)]
struct Raw {
    value: u64,
}

#[derive(Debug, Deserialize)]
struct Nvme {
    media_errors: u64,
    percentage_used: u64,
}

#[derive(Debug, Deserialize)]
struct Scsi {
    read: Option<Counts>,
    write: Option<Counts>,
    verify: Option<Counts>,
}

#[derive(Debug, Deserialize)]
struct Counts {
    total_uncorrected_errors: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_disk_is_read() {
        for (file, passed, bad, worn, temperature, is_trouble) in [
            ("ata-pending", Some(true), Some(11), None, Some(34), true),
            ("ata-failing", Some(false), Some(0), None, Some(41), true),
            ("nvme", Some(true), Some(0), Some(3), Some(22), false),
            ("scsi", Some(true), Some(0), None, Some(32), false),
            ("scsi-debug", Some(true), None, None, Some(38), false),
        ] {
            let path = format!("{}/../../tests/data/layers/smartctl/{file}.json", env!("CARGO_MANIFEST_DIR"));
            let smart = parse(&fs_err::read(path).unwrap()).unwrap();
            let told = (smart.passed, smart.bad, smart.worn_percent, smart.temperature_c);
            assert_eq!(told, (passed, bad, worn, temperature), "{file}");
            assert_eq!(smart.trouble().is_some(), is_trouble, "{file}");
        }
    }

    #[test]
    fn a_disk_that_says_nothing_is_told_with_the_reason_and_noise_is_refused() {
        let text = br#"{"json_format_version":[1,0],"smartctl":{"version":[7,3],"messages":[{"string":"/dev/ram0: Unable to detect device type","severity":"error"}],"exit_status":1}}"#;
        let smart = parse(text).unwrap();
        assert_eq!(smart.why.as_deref(), Some("/dev/ram0: Unable to detect device type"));
        assert_eq!(smart.trouble(), None);
        assert!(parse(b"smartctl 6.6: unknown option --json").is_err());
    }
}
