//! What a client sees of an address that moves.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::*;

/// Answers every datagram until told to stop.
fn echo(socket: &UdpSocket, stop: &AtomicBool) {
    socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let mut buffer = [0; 16];
    while !stop.load(Ordering::Relaxed) {
        if let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let _ = socket.send_to(&buffer[..length], from); // nobody is sure to hear an echo
        }
    }
}

/// The longest time between two echoes, from the first to the last, while something is done in between. The client
/// sends every half millisecond; only an echo of the node that has the address comes back.
fn longest_gap(bed: &Bed, to: SocketAddr, patience: Duration, between: impl FnOnce()) -> Duration {
    let client = bed.client();
    let socket = client.inside(|| UdpSocket::bind(("0.0.0.0", 0))).unwrap();
    socket.set_read_timeout(Some(Duration::from_micros(500))).unwrap();
    let is_done = AtomicBool::new(false);
    let echoes = AtomicU32::new(0);
    let mut buffer = [0; 16];
    let mut heard: Vec<Instant> = Vec::new();
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut after = None;
            loop {
                let _ = socket.send_to(b"x", to); // no route to it for a moment is part of the gap
                if socket.recv_from(&mut buffer).is_ok() {
                    heard.push(Instant::now());
                    echoes.fetch_add(1, Ordering::Relaxed);
                }
                let done = is_done.load(Ordering::Relaxed).then(|| *after.get_or_insert_with(Instant::now));
                let is_back = done.is_some_and(|done| heard.last().is_some_and(|last| *last > done));
                if done.is_some_and(|done| done.elapsed() > patience)
                    || is_back && done.is_some_and(|done| done.elapsed() > Duration::from_millis(50))
                {
                    heard.push(Instant::now()); // what is not back yet counts as long as we waited
                    return heard;
                }
            }
        });
        let is_steady = until(Duration::from_secs(20), || echoes.load(Ordering::Relaxed) > 50);
        between();
        is_done.store(true, Ordering::Relaxed);
        let heard = watch.join().unwrap();
        assert!(is_steady, "the client did not hear the first node");
        heard.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap()
    })
}

#[test]
fn a_client_follows_a_moved_address_at_once_because_it_was_told() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let nodes = [bed.node("mail-1"), bed.node("mail-2")];
    nodes.iter().for_each(settle);
    settle(&bed.client());
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for node in &nodes {
            let socket = node.inside(|| UdpSocket::bind(("0.0.0.0", 7007))).unwrap();
            scope.spawn(|| echo(&{ socket }, &stop));
        }
        let [from, to] = &nodes;
        let vip: SocketAddr = "192.0.2.7:7007".parse().unwrap();
        let mut late = Vec::new();
        for turn in 0..8 {
            let (from, to) = if turn % 2 == 0 { (from, to) } else { (to, from) };
            ipbind(from, &format!("up {VIP} --device eth0 --probe-wait 0s")).ok();
            let mut move_took = Duration::ZERO;
            let gap = longest_gap(&bed, vip, Duration::from_secs(5), || {
                let began = Instant::now();
                ipbind(from, &format!("down {VIP} --device eth0")).ok();
                ipbind(to, &format!("up {VIP} --device eth0 --probe-wait 0s")).ok();
                move_took = began.elapsed();
            });
            println!("the client's gap, told: {gap:?} of a move of {move_took:?}");
            late.push(gap.saturating_sub(move_took));
        }
        // The same move untold: what the announcement is worth, and the proof that this test can fail.
        ipbind(from, &format!("up {VIP} --device eth0 --probe-wait 0s")).ok();
        ipbind(to, &format!("down {VIP} --device eth0")).ok();
        longest_gap(&bed, vip, Duration::from_secs(5), || {});
        let untold = longest_gap(&bed, vip, Duration::from_millis(1500), || {
            from.sh(&format!("ip addr del {VIP} dev eth0")).ok();
            to.sh(&format!("ip addr add {VIP} dev eth0")).ok();
        });
        stop.store(true, Ordering::Relaxed);
        late.sort();
        println!("the client's gap, untold: {untold:?} or more; told, beyond the move itself: {late:?}");
        assert!(late[late.len() / 2] < Duration::from_millis(300), "{late:?}");
        assert!(untold > Duration::from_secs(1), "{untold:?}");
    });
}

#[test]
fn an_address_comes_up_in_milliseconds_when_nobody_is_asked() {
    if !needs_root() {
        return;
    }
    let bed = Bed::new();
    let node = bed.node("mail-1");
    let mut took: Vec<Duration> = Vec::new();
    let mut floor: Vec<Duration> = Vec::new();
    for _ in 0..20 {
        took.push(ipbind(&node, &format!("up {VIP} --device eth0 --probe-wait 0s")).ok().took);
        ipbind(&node, &format!("down {VIP} --device eth0")).ok();
        floor.push(node.run(["true"]).ok().took);
    }
    took.sort();
    floor.sort();
    println!("up without probing: median {:?}, best {:?}; true(1): {:?}", took[10], took[0], floor[10]);
    assert!(took[10] < 5 * floor[10] + Duration::from_millis(200), "{took:?}");
}
