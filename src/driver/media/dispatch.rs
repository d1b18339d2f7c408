//! The media thread's other half: delivers its events and frees what it may not free itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use rtrb::{Consumer, Producer, RingBuffer};

use super::worker::Call;
use super::{Channels, StartError, locked};
use crate::media::command::Cue;
use crate::media::event::Event;

/// Products that may wait for the dispatcher.
const PRODUCTS: usize = 4_096;

/// What a media thread hands over, in order.
pub enum Product {
    Event(u64, Event),
    Cues(Vec<Cue>),
    /// A call that is closed: its sockets, rings and session go here.
    Call(Box<Call>),
}

/// Starts the dispatcher of a media thread; unparked, it empties the ring.
pub fn start(
    number: usize,
    channels: Channels,
    load: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
) -> Result<(Producer<Product>, JoinHandle<()>), StartError> {
    let (producer, products) = RingBuffer::new(PRODUCTS);
    let dispatcher = Dispatcher { products, channels, load };
    let run = move || dispatcher.run(&stop);
    let thread = std::thread::Builder::new().name(format!("media-{number}-events")).spawn(run)?;
    Ok((producer, thread))
}

struct Dispatcher {
    products: Consumer<Product>,
    channels: Channels,
    load: Arc<AtomicUsize>,
}

impl Dispatcher {
    /// Until it is told to stop and the worker is gone.
    fn run(mut self, stop: &AtomicBool) {
        loop {
            while let Ok(product) = self.products.pop() {
                self.deliver(product);
            }
            if stop.load(Ordering::Acquire) && self.products.is_abandoned() && self.products.is_empty() {
                locked(&self.channels).clear();
                return;
            }
            std::thread::park();
        }
    }

    fn deliver(&self, product: Product) {
        match product {
            Product::Event(call, event) => {
                if let Some(channel) = locked(&self.channels).get(&call) {
                    // A call that does not read its events, or is gone, misses them.
                    let _delivered = channel.try_send(event);
                }
            }
            Product::Cues(cues) => drop(cues),
            Product::Call(call) => {
                locked(&self.channels).remove(&call.id());
                self.load.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
}
