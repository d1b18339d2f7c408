//! The service as a client: it registers at Kamailio with digest, and calls reach it through Kamailio.

use super::kamailio::{Kamailio, PASSWORD, REALM};
use super::peer::call::Dial;
use super::peer::phone::Phone;
use super::peer::service::{Setup, book};
use super::peer::time::{left, millis, now, seconds};

#[test]
fn the_service_registers_with_digest_and_is_called_through_the_proxy() {
    let kamailio = Kamailio::start();
    let trunk = format!(
        "[trunk.city]\nregistrar = \"sip:{}\"\nusername = \"ivr\"\nrealm = \"{REALM}\"\n\
         password_file = \"trunk-password\"\nexpires_s = 60\n",
        kamailio.address
    );
    let service = Setup::default().config(&trunk).file("trunk-password", PASSWORD).start();
    let phone = Phone::udp(&book());
    let dial =
        Dial { uri: Some(format!("sip:ivr@{}", kamailio.address)), ..Dial::new(kamailio.address, "13989008001") };
    let deadline = now() + seconds(15);
    let call = loop {
        // Until the registration is there Kamailio says 404.
        let call = phone.call(&dial);
        let status = call.final_response(seconds(5)).and_then(|response| response.status());
        if status == Some(200) {
            break call;
        }
        assert!(!left(deadline).is_zero(), "{status:?}\n{}\n{}", service.log(), kamailio.log());
        std::thread::park_timeout(millis(100));
    };
    call.hear_until("bo/greet.hello", seconds(5));
    call.press("2");
    call.hear_until("zh/menu.head", seconds(10));
    assert!(!call.wait_repeated_answer(millis(700)), "the ACK went astray\n{}", call.trace());
    call.hang_up();
}
