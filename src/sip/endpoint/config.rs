use serde::Deserialize;

/// The user agent's own settings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `host` or `host:port` for Via and Contact when the address that we are bound to is not the one that peers reach
    /// (0.0.0.0, NAT). `[v6]:port` in brackets. Set by the driver, whose own key it is.
    #[serde(skip)]
    pub advertise: Option<String>,
    /// User-Agent and Server.
    pub user_agent: String,
    /// Round trip estimate (RFC 3261 §17.1.1.1).
    pub t1_ms: u32,
    /// Longest retransmission interval.
    pub t2_ms: u32,
    /// How long a message may stay in the network.
    pub t4_ms: u32,
    /// The session interval that we ask for (RFC 4028); 0 switches session timers off.
    pub session_expires_s: u32,
    /// The smallest one that we take: RFC 4028 §4 sets 90.
    pub min_session_expires_s: u32,
    /// Our INVITEs require reliable provisional responses (RFC 3262); a peer without them answers 420.
    pub require_reliable_ringing: bool,
    /// A call that nobody has answered by then ends: 480 to an incoming one, CANCEL to an outgoing one.
    pub max_ringing_s: u32,
    /// Calls in or out at a time, those on their way included.
    pub max_legs: usize,
    /// Incoming calls not yet answered.
    pub max_half_open: usize,
    /// Transactions of each kind; above it new requests get 503, above twice that silence.
    pub max_transactions: usize,
    /// Largest body, in bytes (413).
    pub max_body: usize,
    /// Requests above 1300 bytes go by TCP when the peer takes it (RFC 3261 §18.1.1).
    pub large_requests_by_tcp: bool,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            advertise: None,
            user_agent: concat!("hotline/", env!("CARGO_PKG_VERSION")).to_owned(),
            t1_ms: 500,
            t2_ms: 4_000,
            t4_ms: 5_000,
            session_expires_s: 1_800,
            min_session_expires_s: 90,
            require_reliable_ringing: false,
            max_ringing_s: 180,
            max_legs: 2_000,
            max_half_open: 500,
            max_transactions: 20_000,
            max_body: 16_384,
            large_requests_by_tcp: true,
        }
    }
}
