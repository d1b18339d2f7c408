//! Reading and writing one INVITE of 1.2 kB, as a trunk sends it.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hotline::sip::Message;
use hotline::sip::wire::{emit, parse};

/// Twenty headers and an SDP offer: what is usual behind two proxies.
fn invite() -> Vec<u8> {
    let body = "v=0\r\n\
        o=- 4711 4711 IN IP4 192.0.2.44\r\n\
        s=-\r\n\
        c=IN IP4 192.0.2.44\r\n\
        t=0 0\r\n\
        m=audio 38012 RTP/AVP 8 0 101\r\n\
        a=rtpmap:8 PCMA/8000\r\n\
        a=rtpmap:0 PCMU/8000\r\n\
        a=rtpmap:101 telephone-event/8000\r\n\
        a=fmtp:101 0-15\r\n\
        a=ptime:20\r\n\
        a=sendrecv\r\n";
    let head = "INVITE sip:12345@192.0.2.100:5060;user=phone SIP/2.0\r\n\
        Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKp2a7f00c1d9e4;rport\r\n\
        Via: SIP/2.0/UDP 192.0.2.44:5060;branch=z9hG4bK-524287-1---9c2b7e55;received=192.0.2.44;rport=5060\r\n\
        Record-Route: <sip:192.0.2.10:5060;lr;ftag=8d0f1c7a>\r\n\
        Max-Forwards: 69\r\n\
        From: \"0891 632 3111\" <sip:08916323111@trunk.example.net;user=phone>;tag=8d0f1c7a\r\n\
        To: <sip:12345@trunk.example.net;user=phone>\r\n\
        Call-ID: 7d1f3a5c9b2e4f60a8c1@192.0.2.44\r\n\
        CSeq: 20731 INVITE\r\n\
        Contact: <sip:08916323111@192.0.2.44:5060;transport=udp>\r\n\
        P-Asserted-Identity: <sip:08916323111@trunk.example.net;user=phone>\r\n\
        Privacy: none\r\n\
        History-Info: <sip:12345@trunk.example.net>;index=1\r\n\
        Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO\r\n\
        Supported: timer, 100rel, histinfo\r\n\
        Session-Expires: 1800;refresher=uac\r\n\
        Min-SE: 90\r\n\
        User-Agent: Trunk Gateway 4.2\r\n\
        Accept: application/sdp\r\n\
        Content-Disposition: session\r\n\
        Content-Type: application/sdp\r\n";
    format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn benchmark(criterion: &mut Criterion) {
    let bytes = invite();
    assert!((1_150..1_350).contains(&bytes.len()), "{} bytes", bytes.len());
    let Ok(Message::Request(request)) = parse(&bytes) else { panic!("the INVITE is well formed") };
    let mut group = criterion.benchmark_group("invite");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("parse", |bencher| bencher.iter(|| parse(black_box(&bytes))));
    group.bench_function("emit", |bencher| bencher.iter(|| emit::request(black_box(&request))));
    group.finish();
}

criterion_group!(benches, benchmark);
criterion_main!(benches);
