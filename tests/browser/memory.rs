//! What a tab takes, as Chromium and the kernel count it.

use std::collections::BTreeMap;
use std::fs;

use serde_json::json;

use crate::chromium::Chromium;

#[derive(Debug)]
pub struct Memory {
    /// Of the page's scripts, in bytes.
    pub heap: u64,
    /// The proportional share (PSS) of each process that draws pages, the largest first.
    pub renderers_kib: Vec<u64>,
}

impl Chromium {
    pub fn memory(&self) -> Memory {
        self.devtools("HeapProfiler.collectGarbage", &json!({}));
        self.devtools("Performance.enable", &json!({}));
        let metrics = self.devtools("Performance.getMetrics", &json!({}));
        let metrics = metrics["metrics"].as_array().expect("metrics");
        let heap = metrics.iter().find(|metric| metric["name"] == "JSHeapUsedSize").expect("the heap's");
        let heap = heap["value"].as_f64().expect("bytes") as u64;
        let mut renderers_kib: Vec<u64> = descendants(self.driver_id())
            .into_iter()
            .filter(|id| command_line(*id).contains("--type=renderer"))
            .filter_map(share_kib)
            .collect();
        renderers_kib.sort_unstable_by(|one, other| other.cmp(one));
        Memory { heap, renderers_kib }
    }
}

/// The processes below this one.
fn descendants(of: u32) -> Vec<u32> {
    let mut children = BTreeMap::<u32, Vec<u32>>::new();
    for entry in fs::read_dir("/proc").expect("a list of processes").flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        children.entry(parent(id).unwrap_or(0)).or_default().push(id);
    }
    let (mut found, mut next) = (Vec::new(), vec![of]);
    while let Some(id) = next.pop() {
        next.extend(children.get(&id).into_iter().flatten());
        found.push(id);
    }
    found
}

/// `None` for a process that has just ended.
fn parent(id: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn command_line(id: u32) -> String {
    fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default()
}

fn share_kib(id: u32) -> Option<u64> {
    let shares = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).ok()?;
    let line = shares.lines().find(|line| line.starts_with("Pss:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
