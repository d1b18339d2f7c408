//! Session timers (RFC 4028): a call that nobody refreshes ends.

use std::time::Duration;

use crate::sip::wire::value::{Refresher, SessionExpires};

/// What a request says about session timers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    pub session_expires: Option<SessionExpires>,
    pub min_se: Option<u32>,
    /// `Supported: timer`.
    pub supported: bool,
}

/// Our own limits, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub interval: u32,
    pub min: u32,
}

/// The agreed interval and who keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimer {
    pub seconds: u32,
    pub we_refresh: bool,
}

/// What a 2xx to an INVITE or UPDATE says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    pub timer: SessionTimer,
    pub refresher: Refresher,
    /// `Require: timer`: the requester has to refresh (RFC 4028 §9).
    pub required: bool,
}

/// The requested interval is below our minimum: 422 with Min-SE (RFC 4028 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooSmall;

/// As the server of an INVITE or UPDATE (RFC 4028 §9, table 2). `None`: no session timer.
///
/// # Errors
/// The interval is too small and the peer understands a 422.
pub fn agree(asked: &Asked, limits: Limits) -> Result<Option<Agreed>, TooSmall> {
    let wanted = asked.session_expires;
    if wanted.is_some_and(|wanted| wanted.seconds < limits.min) && asked.supported {
        return Err(TooSmall);
    }
    let floor = limits.min.max(asked.min_se.unwrap_or(0));
    let seconds = match wanted {
        Some(wanted) => wanted.seconds.max(floor),
        None if limits.interval == 0 || !asked.supported => return Ok(None),
        None => limits.interval.max(floor),
    };
    // table 2: a requester without support can't refresh; one that names a side has chosen
    let refresher = match (asked.supported, wanted.and_then(|wanted| wanted.refresher)) {
        (false, _) => Refresher::Uas,
        (true, Some(chosen)) => chosen,
        (true, None) => Refresher::Uac,
    };
    let timer = SessionTimer { seconds, we_refresh: refresher == Refresher::Uas };
    Ok(Some(Agreed { timer, refresher, required: refresher == Refresher::Uac }))
}

/// As the client, from the 2xx (RFC 4028 §7.2). `None`: the peer runs no session timer.
pub fn accepted(answer: Option<SessionExpires>) -> Option<SessionTimer> {
    let answer = answer?;
    // §7.2 wants a refresher in every 2xx; a peer that forgot it leaves the work to us
    let we_refresh = answer.refresher != Some(Refresher::Uas);
    Some(SessionTimer { seconds: answer.seconds.max(1), we_refresh })
}

impl SessionTimer {
    /// The refresher sends at half the interval (RFC 4028 §7.2, §10).
    pub fn refresh_after(&self) -> Duration {
        Duration::from_secs(u64::from(self.seconds)) / 2
    }

    /// The session ends a third of the interval, at most 32 s, before it runs out (RFC 4028 §10).
    pub fn end_after(&self) -> Duration {
        Duration::from_secs(u64::from(self.seconds - (self.seconds / 3).min(32)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { interval: 1_800, min: 90 };

    fn asked(seconds: Option<u32>, refresher: Option<Refresher>, supported: bool) -> Asked {
        Asked { session_expires: seconds.map(|seconds| SessionExpires { seconds, refresher }), min_se: None, supported }
    }

    #[test]
    fn the_refresher_is_chosen_by_table_2_of_rfc_4028() {
        use Refresher::{Uac, Uas};
        for (supported, named, refresher) in
            [(false, None, Uas), (true, None, Uac), (true, Some(Uac), Uac), (true, Some(Uas), Uas)]
        {
            let agreed = agree(&asked(Some(300), named, supported), LIMITS).expect("large enough").expect("a timer");
            assert_eq!((agreed.refresher, agreed.required), (refresher, refresher == Uac), "{supported} {named:?}");
            assert_eq!(agreed.timer, SessionTimer { seconds: 300, we_refresh: refresher == Uas });
        }
    }

    #[test]
    fn a_small_interval_is_refused_when_the_peer_understands_422_and_raised_otherwise() {
        assert_eq!(agree(&asked(Some(89), None, true), LIMITS), Err(TooSmall));
        let raised = agree(&asked(Some(60), None, false), LIMITS).expect("not refused").expect("a timer");
        assert_eq!(raised.timer.seconds, 90);
    }

    #[test]
    fn a_peer_that_supports_timers_and_asks_for_none_gets_ours() {
        let agreed = agree(&asked(None, None, true), LIMITS).expect("accepted").expect("a timer");
        assert_eq!((agreed.timer.seconds, agreed.timer.we_refresh), (1_800, false));
        assert_eq!(agree(&asked(None, None, false), LIMITS), Ok(None));
        assert_eq!(agree(&asked(None, None, true), Limits { interval: 0, min: 90 }), Ok(None));
    }

    #[test]
    fn the_client_refreshes_unless_the_2xx_names_the_server() {
        for (refresher, we_refresh) in [(Some(Refresher::Uac), true), (Some(Refresher::Uas), false), (None, true)] {
            let timer = accepted(Some(SessionExpires { seconds: 120, refresher }));
            assert_eq!(timer, Some(SessionTimer { seconds: 120, we_refresh }));
        }
        assert_eq!(accepted(None), None);
    }

    #[test]
    fn a_session_is_refreshed_at_half_and_ended_before_it_runs_out() {
        for (seconds, refresh, end) in [(90, 45, 60), (1_800, 900, 1_768)] {
            let timer = SessionTimer { seconds, we_refresh: true };
            assert_eq!((timer.refresh_after().as_secs(), timer.end_after().as_secs()), (refresh, end));
        }
    }
}
