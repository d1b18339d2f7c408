//! The media thread itself. Nothing here allocates, frees, locks or logs once it runs.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;
use std::time::Duration;

use rtrb::{Consumer, Producer};

use super::dispatch::Product;
use super::figures::{Figures, Lateness, SLOT, Tally};
use super::ports::Sockets;
use super::recording::Sink;
use crate::clock::{Clock, Mono};
use crate::media::command::{Command, Cue};
use crate::media::event::Event;
use crate::media::frame::Frame;
use crate::media::session::{Outlet, Session};

/// Slots of a period of 20 ms.
const SLOTS: usize = 4;
const PERIOD: Duration = Duration::from_millis(20);

/// Datagrams read from a socket in one visit; a flood waits, and the system drops it.
const MOST_DATAGRAMS: usize = 32;

/// Visits from one look at the RTCP socket to the next: reports come every few seconds.
const RTCP_VISITS: u32 = 10;

/// How many calls a slot may have more than the emptiest when it takes a new one.
const UNEVEN: usize = 4;

/// Larger than any datagram that RTP or RTCP here may have; a longer one is cut and refused.
const DATAGRAM: usize = 2_048;

/// One call on a media thread.
pub struct Call {
    id: u64,
    session: Session,
    sockets: Sockets,
    commands: Consumer<Command>,
    recording: Option<Sink>,
    visits: u32,
}

impl Call {
    pub fn new(
        id: u64,
        session: Session,
        sockets: Sockets,
        commands: Consumer<Command>,
        recording: Option<Sink>,
    ) -> Call {
        Call { id, session, sockets, commands, recording, visits: 0 }
    }

    pub fn id(&self) -> u64 {
        self.id
    }
}

pub struct Worker {
    new_calls: Consumer<Box<Call>>,
    /// By pointer: a call moves from ring to slot to ring.
    slots: [Vec<Box<Call>>; SLOTS],
    out: Out,
    figures: Arc<Figures>,
    datagram: Box<[u8; DATAGRAM]>,
}

/// The way from the thread to its dispatcher.
struct Out {
    products: Producer<Product>,
    dispatcher: Thread,
    /// Something was sent in this visit.
    sent: bool,
    tally: Tally,
}

impl Worker {
    pub fn new(
        new_calls: Consumer<Box<Call>>,
        products: Producer<Product>,
        dispatcher: Thread,
        figures: Arc<Figures>,
        calls: usize,
    ) -> Worker {
        // A slot may be uneven with the others, and may not grow.
        let slots = std::array::from_fn(|_| Vec::with_capacity(calls));
        let out = Out { products, dispatcher, sent: false, tally: Tally::default() };
        Worker { new_calls, slots, out, figures, datagram: Box::new([0; DATAGRAM]) }
    }

    /// Visits a slot every 5 ms until told to stop.
    pub fn run(mut self, clock: Clock, stop: &AtomicBool) {
        let mut due = clock.mono();
        let mut lateness = Lateness::new(due);
        let mut slot = 0;
        while !stop.load(Ordering::Acquire) {
            std::thread::sleep(due.since(clock.mono()));
            let now = clock.mono();
            lateness.add(now, now.since(due), &self.figures);
            self.figures.visited(now);
            self.adopt(slot, due);
            self.visit(slot, now);
            due += SLOT;
            slot = (slot + 1) % SLOTS;
            // Late by whole periods: their visits are left out, and each session sees by the time what it missed.
            let behind = clock.mono().since(due).as_micros() / PERIOD.as_micros();
            due += PERIOD * u32::try_from(behind).unwrap_or(u32::MAX);
        }
        self.close_all(clock.mono());
    }

    /// The end of the thread: what was said is written out, and peers get their BYE.
    fn close_all(&mut self, now: Mono) {
        for call in self.slots.iter_mut().flatten() {
            let mut shell =
                Shell { id: call.id, sockets: &call.sockets, recording: &mut call.recording, out: &mut self.out };
            call.session.command(now, Command::Close, &mut shell);
        }
        self.out.dispatcher.unpark();
    }

    /// Takes new calls while this slot is not fuller than others.
    fn adopt(&mut self, slot: usize, due: Mono) {
        let emptiest = self.slots.iter().map(Vec::len).min().unwrap_or(0);
        while self.slots[slot].len() < (emptiest + UNEVEN).min(self.slots[slot].capacity()) {
            let Ok(mut call) = self.new_calls.pop() else { return };
            call.session.begin(due);
            self.slots[slot].push(call);
        }
    }

    fn visit(&mut self, slot: usize, now: Mono) {
        let calls = &mut self.slots[slot];
        let mut index = 0;
        while index < calls.len() {
            let call = &mut calls[index];
            call.visit(now, &mut self.out, &mut self.datagram);
            if call.session.is_closed() && self.out.has_room() {
                let call = calls.swap_remove(index);
                self.figures.closed(&call.session.summary());
                self.out.push(Product::Call(call));
            } else {
                index += 1;
            }
        }
        self.out.tally.flush(&self.figures);
        if std::mem::take(&mut self.out.sent) {
            self.out.dispatcher.unpark();
        }
    }
}

impl Call {
    fn visit(&mut self, now: Mono, out: &mut Out, datagram: &mut [u8; DATAGRAM]) {
        let Call { id, session, sockets, commands, recording, visits } = self;
        let mut shell = Shell { id: *id, sockets, recording, out };
        while let Ok(command) = commands.pop() {
            session.command(now, command, &mut shell);
        }
        if commands.is_abandoned() {
            session.command(now, Command::Close, &mut shell);
        }
        drain(&sockets.rtp, datagram, |from, bytes| {
            shell.out.tally.packets_in += 1;
            session.receive(now, from, bytes, &mut shell);
        });
        if visits.is_multiple_of(RTCP_VISITS) {
            drain(&sockets.rtcp, datagram, |from, bytes| {
                shell.out.tally.packets_in += 1;
                session.receive_rtcp(now, from, bytes);
            });
        }
        *visits = visits.wrapping_add(1);
        session.advance(now, &mut shell);
    }
}

fn drain(socket: &UdpSocket, datagram: &mut [u8; DATAGRAM], mut take: impl FnMut(SocketAddr, &[u8])) {
    for _ in 0..MOST_DATAGRAMS {
        // Any error ends the visit's reading: there is nothing more, or the network says what RTCP and the timeout
        // will say as well.
        let Ok((length, from)) = socket.recv_from(datagram) else { return };
        take(from, &datagram[..length]);
    }
}

impl Out {
    fn has_room(&self) -> bool {
        !self.products.is_full()
    }

    /// False if the ring is full; the product is then freed here, which is the lesser evil.
    fn push(&mut self, product: Product) -> bool {
        self.sent = true;
        self.products.push(product).is_ok()
    }
}

/// A session's outlet onto sockets and rings.
struct Shell<'a> {
    id: u64,
    sockets: &'a Sockets,
    recording: &'a mut Option<Sink>,
    out: &'a mut Out,
}

impl Shell<'_> {
    fn send(&mut self, socket: &UdpSocket, to: SocketAddr, packet: &[u8]) {
        match socket.send_to(packet, to) {
            Ok(_) => self.out.tally.packets_out += 1,
            Err(_) => self.out.tally.unsent += 1,
        }
    }
}

impl Outlet for Shell<'_> {
    fn send_rtp(&mut self, to: SocketAddr, packet: &[u8]) {
        self.send(&self.sockets.rtp, to, packet);
    }

    fn send_rtcp(&mut self, to: SocketAddr, packet: &[u8]) {
        self.send(&self.sockets.rtcp, to, packet);
    }

    fn event(&mut self, event: Event) {
        let kept = self.out.push(Product::Event(self.id, event));
        self.out.tally.events_lost += u64::from(!kept);
    }

    fn record(&mut self, frame: &Frame) -> bool {
        let kept = self.recording.as_mut().is_none_or(|recording| recording.push(frame));
        self.out.tally.overruns += u64::from(!kept);
        kept
    }

    fn discard(&mut self, cues: Vec<Cue>) {
        self.out.push(Product::Cues(cues));
    }
}
