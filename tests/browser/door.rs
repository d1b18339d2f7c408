//! Signing in, one's own account, and how pages look.

use crate::house::{House, PASSWORD};

#[test]
fn somebody_signs_in_changes_the_look_and_signs_out() {
    let house = House::new(0);
    let mut browser = house.browser("agent");
    browser.open("/account");
    assert!(browser.text().contains("话务员"));
    browser.is_accessible("account");
    browser.picture("account");
    browser.send("button[value=bo]");
    assert_eq!(browser.run("return document.documentElement.lang"), "bo");
    browser.send("button[value=dark]");
    browser.is_accessible("account in the dark");
    browser.picture("account-dark");
    let ink = browser.run("return getComputedStyle(document.body).color");
    let paper = browser.run("return getComputedStyle(document.body).backgroundColor");
    assert_ne!(ink, paper);
    browser.send("form[action='/sign-out'] button");
    assert!(browser.place().starts_with("/sign-in"), "{}", browser.place());
    browser.is_accessible("the door");
    browser.picture("sign-in");
    browser.fill("input[name=account]", "agent");
    browser.fill("input[name=password]", "not it");
    browser.send("form[action='/sign-in'] button");
    assert!(browser.run("return document.querySelector('[role=alert]').innerText").as_str().is_some());
    browser.fill("input[name=password]", PASSWORD);
    browser.send("form[action='/sign-in'] button");
    assert_eq!(browser.run("return document.cookie"), "", "no script reads the session");
    browser.open("/no-such-page");
    browser.is_accessible("a missing page");
    browser.is_clean();
}
