//! What administrators are shown of the configuration: never a password, an account's name or a key.

use crate::config::Config;
use crate::console::{Settings, TrunkSettings};
use crate::driver::trunk::{self, Shown};

/// As the service runs with it.
pub fn shown(config: &Config) -> Settings {
    Settings {
        node: config.node.clone(),
        lines: config.line.clone(),
        trunks: config.trunk.iter().map(|(name, trunk)| shown_trunk(name, trunk)).collect(),
        networks: config.sip.allow.len(),
        max_calls: config.calls.max_calls,
        dialer_max_calls: config.dialer.max_calls,
        dialer_calls_per_second: config.dialer.calls_per_second,
        disk_warn_percent: config.disk.warn_percent,
        disk_stop_percent: config.disk.stop_percent,
        recordings_days: config.retention.recordings_days,
        delivered_days: config.retention.delivered_days,
        idempotency_days: config.retention.idempotency_days,
    }
}

fn shown_trunk(name: &str, trunk: &trunk::Config) -> TrunkSettings {
    let caller_id = |(shown, number): (&Shown, &String)| match shown {
        Shown::Default => (None, number.clone()),
        Shown::City(city) => (Some(*city), number.clone()),
    };
    TrunkSettings {
        name: name.to_owned(),
        registers: trunk.registrar.is_some(),
        address: host(trunk.registrar.as_deref().or(trunk.peer.as_deref()).unwrap_or_default()),
        number: trunk.number.clone(),
        calls_out: trunk.calls_out,
        priority: trunk.priority,
        channels: trunk.channels,
        kept_for_inbound: trunk.kept_for_inbound.of(trunk.channels),
        caller_ids: trunk.caller_id.iter().map(caller_id).collect(),
    }
}

/// Of a SIP address; what stands before an `@` may be an account and its password.
fn host(address: &str) -> String {
    let address = address.split_once(':').map_or(address, |(_, rest)| rest);
    address.rsplit('@').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, layers::Layers};
    use crate::secret::Secret;

    #[test]
    fn no_secret_of_a_trunk_is_shown() {
        let mut config = config::read(Layers::default()).expect("a configuration");
        let trunk = trunk::Config {
            registrar: Some("sip:account:swordfish@registrar.example:5060;transport=tcp".to_owned()),
            username: Some("account".to_owned()),
            password: Some(Secret::from("swordfish".to_owned())),
            password_file: Some("/etc/hotline/swordfish".into()),
            channels: 30,
            ..trunk::Config::default()
        };
        config.trunk.insert("telecom".to_owned(), trunk);
        let shown = shown(&config);
        let trunk = &shown.trunks[0];
        assert_eq!((trunk.address.as_str(), trunk.kept_for_inbound), ("registrar.example:5060;transport=tcp", 15));
        let all = format!("{shown:?}");
        assert!(!all.contains("swordfish") && !all.contains("account"), "{all}");
        assert_eq!(shown.lines[0].number, "12345");
    }
}
