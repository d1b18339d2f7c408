//! What every message of RFC 4475 and RFC 5118 is read as, and what a peer that sends it sees.

use hotline::sip::wire::Defect::{
    self, MethodMismatch, Missing, NoBlankLine, Repeated, RequestUri, ShortBody, StartLine, Status, Value, Version,
};

use crate::caller::Outcome::{self, Answer, Silence};

pub struct Row {
    pub file: &'static str,
    pub read: Read,
    pub outcome: Outcome,
    pub why: &'static str,
}

#[derive(Clone, Copy, Debug)]
pub enum Read {
    Request { method: &'static str, uri: &'static str, body: usize },
    Response { status: u16, reason: &'static str, body: usize },
    Malformed(Defect),
}

type Text = &'static str;

const fn request(file: Text, method: Text, uri: Text, body: usize, outcome: Outcome, why: Text) -> Row {
    Row { file, read: Read::Request { method, uri, body }, outcome, why }
}

const fn response(file: Text, status: u16, reason: Text, body: usize, outcome: Outcome, why: Text) -> Row {
    Row { file, read: Read::Response { status, reason, body }, outcome, why }
}

const fn malformed(file: Text, defect: Defect, outcome: Outcome, why: Text) -> Row {
    Row { file, read: Read::Malformed(defect), outcome, why }
}

#[rustfmt::skip]
pub const TABLE: &[Row] = &[
    malformed("rfc4475/badaspec.dat", Value("To"), Answer(400), "white space inside the angle brackets"),
    request("rfc4475/badbranch.dat", "OPTIONS", "sip:user@example.com", 0, Answer(200), "the branch is the bare cookie: matched as RFC 2543 did"),
    request("rfc4475/baddate.dat", "INVITE", "sip:user@example.com", 150, Answer(200), "the Date's zone is wrong, and nobody reads the Date"),
    malformed("rfc4475/baddn.dat", NoBlankLine, Answer(400), "the file ends inside its headers; a display name with a bare comma besides"),
    malformed("rfc4475/badinv01.dat", Value("Via"), Answer(400), "stray separators in Via and Contact"),
    malformed("rfc4475/badvers.dat", Version, Answer(505), "SIP/7.0"),
    response("rfc4475/bcast.dat", 200, "OK", 154, Silence("stray_response"), "the topmost Via is somebody else's"),
    request("rfc4475/bext01.dat", "OPTIONS", "sip:user@example.com", 0, Answer(420), "Require names unknown extensions"),
    malformed("rfc4475/bigcode.dat", Status, Silence("malformed_dropped"), "a response with a status beyond 699"),
    malformed("rfc4475/clerr.dat", ShortBody, Answer(400), "Content-Length is larger than the datagram"),
    request("rfc4475/cparam01.dat", "REGISTER", "sip:example.com", 0, Answer(405), "not a registrar"),
    request("rfc4475/cparam02.dat", "REGISTER", "sip:example.com", 0, Answer(405), "not a registrar"),
    request("rfc4475/dblreq.dat", "REGISTER", "sip:example.com", 0, Answer(405), "not a registrar; the second request in the datagram is cut off"),
    request("rfc4475/esc01.dat", "INVITE", "sip:sips%3Auser%40example.com@example.net", 150, Answer(200), "escapes in the user part"),
    request("rfc4475/esc02.dat", "RE%47IST%45R", "sip:registrar.example.com", 0, Answer(501), "methods are not unescaped"),
    request("rfc4475/escnull.dat", "REGISTER", "sip:example.com", 0, Answer(405), "not a registrar; an escaped NUL in a URI is a character like others"),
    malformed("rfc4475/escruri.dat", RequestUri, Answer(400), "headers in the Request-URI"),
    malformed("rfc4475/insuf.dat", Missing("From"), Answer(400), "no From, To or Call-ID"),
    request("rfc4475/intmeth.dat", "!interesting-Method0123456789_*+`.%indeed'~", "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com", 0, Answer(501), "a strange method, well formed"),
    request("rfc4475/inv2543.dat", "INVITE", "sip:UserB@example.com", 105, Answer(200), "no branch and no Contact, as RFC 2543 had it: From is the target"),
    request("rfc4475/invut.dat", "INVITE", "sip:user@example.com", 40, Answer(415), "a body of an unknown type"),
    request("rfc4475/longreq.dat", "INVITE", "sip:user@example.com", 150, Answer(200), "long values, many Vias"),
    malformed("rfc4475/ltgtruri.dat", RequestUri, Answer(400), "angle brackets around the Request-URI"),
    request("rfc4475/lwsdisp.dat", "OPTIONS", "sip:user@example.com", 0, Answer(200), "no space between display name and bracket"),
    malformed("rfc4475/lwsruri.dat", RequestUri, Answer(400), "white space inside the Request-URI"),
    malformed("rfc4475/lwsstart.dat", RequestUri, Answer(400), "two spaces in the start line"),
    malformed("rfc4475/mcl01.dat", Repeated("Content-Length"), Answer(400), "two different lengths"),
    malformed("rfc4475/mismatch01.dat", MethodMismatch, Answer(400), "CSeq names another method"),
    malformed("rfc4475/mismatch02.dat", MethodMismatch, Answer(400), "CSeq names another method than the unknown one"),
    request("rfc4475/mpart01.dat", "MESSAGE", "sip:kumiko@example.org", 553, Answer(405), "a binary multipart body, whole; text messages are not taken"),
    malformed("rfc4475/multi01.dat", Repeated("CSeq"), Answer(400), "single headers given twice"),
    malformed("rfc4475/ncl.dat", Value("Content-Length"), Answer(400), "a negative length"),
    response("rfc4475/noreason.dat", 100, "", 0, Silence("stray_response"), "an empty reason phrase; no request of ours"),
    request("rfc4475/novelsc.dat", "OPTIONS", "soap.beep://192.0.2.103:3002", 0, Answer(416), "a known scheme of another protocol"),
    malformed("rfc4475/quotbal.dat", Value("To"), Answer(400), "an open quote"),
    request("rfc4475/regaut01.dat", "REGISTER", "sip:example.com", 0, Answer(405), "not a registrar; an unknown authentication scheme"),
    malformed("rfc4475/regbadct.dat", Value("Contact"), Answer(400), "a question mark outside angle brackets"),
    request("rfc4475/regescrt.dat", "REGISTER", "sip:example.com", 0, Answer(405), "not a registrar; headers in the Contact's URI"),
    malformed("rfc4475/scalar02.dat", Value("CSeq"), Answer(400), "numbers too large for their headers"),
    malformed("rfc4475/scalarlg.dat", Value("CSeq"), Silence("malformed_dropped"), "the same in a response"),
    request("rfc4475/sdp01.dat", "INVITE", "sip:user@example.com", 150, Answer(406), "takes answers of an unknown type only"),
    request("rfc4475/semiuri.dat", "OPTIONS", "sip:user;par=u%40example.net@example.com", 0, Answer(200), "a semicolon in the user part"),
    malformed("rfc4475/test.dat", StartLine, Silence("malformed_dropped"), "the start line has no version: not SIP"),
    request("rfc4475/transports.dat", "OPTIONS", "sip:user@example.com", 0, Answer(200), "unknown transports in lower Vias"),
    malformed("rfc4475/trws.dat", StartLine, Answer(400), "white space after the version"),
    request("rfc4475/unkscm.dat", "OPTIONS", "nobodyKnowsThisScheme:totallyopaquecontent", 0, Answer(416), "an unknown scheme"),
    request("rfc4475/unksm2.dat", "REGISTER", "sip:example.com", 0, Answer(405), "not a registrar; unknown schemes in From, To and Contact"),
    response("rfc4475/unreason.dat", 200, "= 2**3 * 5**2 но сто девяносто девять - простое", 154, Silence("stray_response"), "a reason phrase beyond ASCII; no request of ours"),
    request("rfc4475/wsinv.dat", "INVITE", "sip:vivekg@chair-dnrc.example.com;unknownparam", 150, Answer(481), "white space and folds wherever they may be; its To tag names no dialog"),
    request("rfc4475/zeromf.dat", "OPTIONS", "sip:user@example.com", 0, Answer(200), "Max-Forwards 0 ends at us"),
    request("rfc5118/ipv4-mapped-ipv6", "INVITE", "sip:user@example.com", 236, Answer(488), "mapped addresses; G.726 only"),
    malformed("rfc5118/ipv6-bad", RequestUri, Answer(400), "an IPv6 address without brackets"),
    malformed("rfc5118/ipv6-bug-abnf-3-colons", RequestUri, Answer(400), "three colons"),
    request("rfc5118/ipv6-correct-abnf-2-colons", "OPTIONS", "sip:user@[2001:db8::192.0.2.1]", 0, Answer(200), "an address that ends in dotted decimals"),
    request("rfc5118/ipv6-good", "REGISTER", "sip:[2001:db8::10]", 0, Answer(405), "not a registrar"),
    malformed("rfc5118/ipv6-in-sdp", ShortBody, Answer(400), "the printed body is shorter than its Content-Length"),
    request("rfc5118/mult-ip-in-header", "BYE", "sip:user@host.example.net", 0, Answer(481), "both address families in Vias; no such call"),
    request("rfc5118/mult-ip-in-sdp", "INVITE", "sip:user@[2001:db8::10]", 181, Answer(200), "audio by IPv4, video by IPv6"),
    request("rfc5118/port-ambiguous", "REGISTER", "sip:[2001:db8::10:5070]", 0, Answer(405), "not a registrar; the port is part of the address"),
    request("rfc5118/port-unambiguous", "REGISTER", "sip:[2001:db8::10]:5070", 0, Answer(405), "not a registrar"),
    request("rfc5118/via-received-param-no-delim", "OPTIONS", "sip:[2001:db8::10]", 0, Answer(200), "received without brackets"),
    request("rfc5118/via-received-param-with-delim", "BYE", "sip:[2001:db8::10]", 0, Answer(481), "received with brackets; no such call"),
];
