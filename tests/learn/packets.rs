//! Gradient packets: what is sent and what is kept add up, sums are exact and of any order, bytes from elsewhere are believed
//! only if they are whole, every tier and any number of ranks gives the same bits.

use crate::common::{Rng, gaussian, same_on_every_tier};
use hybridq::Error;
use hybridq::learn::optimizer::{Group, Storage, unpack_gradient};
use hybridq::learn::packets::{
    HEADER_BYTES, Info, MAX_WEIGHT, Options, Report, Sums, Tag, body, decode, encode, finish, inspect, join,
    merge, packet_size, residual_size, workspace_size,
};

const LENGTHS: [usize; 14] = [0, 1, 2, 4, 5, 16, 17, 100, 1279, 1280, 1281, 1300, 2560, 5003];
const FORMS: [Storage; 4] = [Storage::None, Storage::F32, Storage::Int8, Storage::Int4];

fn tag(step: u64, shard: u32) -> Tag {
    Tag { step, first: 7, shard, weight: 1 }
}

/// A sender: one shard.
#[derive(Clone)]
struct Sender {
    options: Options,
    residual: Vec<u8>,
    scratch: Vec<u8>,
}

impl Sender {
    fn new(options: Options, len: usize) -> Sender {
        let residual = vec![0; residual_size(&options, len).unwrap()];
        // one byte further, so that it is not aligned
        Sender { options, residual, scratch: vec![0; workspace_size(len).unwrap() + 1] }
    }

    fn try_send(&mut self, tag: &Tag, gradient: &[f32]) -> Result<(Vec<u8>, Report), Error> {
        let mut packet = vec![0xA5; packet_size(gradient.len()).unwrap()];
        let before = (self.residual.clone(), packet.clone());
        let done =
            encode(&self.options, tag, gradient, &mut self.residual, &mut packet, &mut self.scratch[1..]);
        if done.is_err() {
            assert!(
                (&self.residual, &packet) == (&before.0, &before.1),
                "a refused gradient changes nothing"
            );
        }
        done.map(|report| (packet, report))
    }

    fn send(&mut self, tag: &Tag, gradient: &[f32]) -> Vec<u8> {
        self.try_send(tag, gradient).unwrap().0
    }

    /// The residual, if it is f32.
    fn kept(&self) -> Vec<f32> {
        self.residual.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
    }
}

fn decoded(packet: &[u8]) -> Vec<f32> {
    let mut out = vec![9.0; inspect(packet).unwrap().len];
    decode(packet, &mut out).unwrap();
    out
}

/// The checksum of the format, bit by bit.
fn crc32(bytes: impl Iterator<Item = u8>) -> u32 {
    !bytes.fold(!0, |c, byte| {
        (0..8).fold(c ^ byte as u32, |c, _| if c & 1 == 1 { c >> 1 ^ 0xEDB8_8320 } else { c >> 1 })
    })
}

/// The packet with the right checksum for what it says now.
fn resealed(mut packet: Vec<u8>) -> Vec<u8> {
    let crc = crc32(packet[..36].iter().chain(&packet[40..]).copied());
    packet[36..40].copy_from_slice(&crc.to_le_bytes());
    packet
}

#[test]
fn what_is_sent_and_what_is_kept_add_up_to_the_gradient() {
    for len in LENGTHS {
        for scale in [1e-4f32, 1.0, 100.0] {
            let mut sender = Sender::new(Options::default(), len);
            let mut before = vec![0.0f32; len];
            for step in 0..4 {
                let gradient: Vec<f32> = gaussian(len, step).iter().map(|g| g * scale).collect();
                let (packet, report) = sender.try_send(&tag(step, 3), &gradient).unwrap();
                let info = Info { step, first: 7, len, shard: 3, weight: 1, unit: -34 };
                assert_eq!(inspect(&packet), Ok(info));
                let (sent, kept) = (decoded(&packet), sender.kept());
                for i in 0..len {
                    let (got, want) = (sent[i] as f64 + kept[i] as f64, (gradient[i] + before[i]) as f64);
                    assert!((got - want).abs() <= 1e-6 * scale as f64, "{len} {i}: {got} {want}");
                }
                assert_eq!(report.nonzero, sent.iter().filter(|v| **v != 0.0).count() as u64);
                let norm = |x: &[f32]| x.iter().map(|v| (*v as f64).powi(2)).sum::<f64>().sqrt();
                let used: Vec<f32> = gradient.iter().zip(&before).map(|(g, e)| g + e).collect();
                let error = if len == 0 { 0.0 } else { norm(&kept) / norm(&used) };
                assert!((report.error as f64 - error).abs() < 1e-4, "{} {error}", report.error);
                // a block of 1280 is one scale: three levels
                for block in sent.chunks(1280) {
                    let most = block.iter().fold(0.0f32, |a, b| a.max(b.abs()));
                    assert!(block.iter().all(|v| *v == 0.0 || v.abs() == most));
                }
                before = kept;
            }
        }
    }
}

#[test]
fn sums_are_exact_in_any_order_and_by_any_way() {
    let mut rng = Rng(5);
    for len in LENGTHS {
        let shards = 7u32;
        let weights: Vec<u32> = (0..shards).map(|s| if s == 3 { 4000 } else { 1 + s }).collect();
        let packets: Vec<Vec<u8>> = (0..shards)
            .map(|shard| {
                let tag = Tag { weight: weights[shard as usize], ..tag(2, shard) };
                Sender::new(Options::default(), len).send(&tag, &gaussian(len, 40 + shard as u64))
            })
            .collect();
        // independently: units of 2^-34 in i128
        let unit = 2f64.powi(-34);
        let mut exact = vec![0i128; len];
        for (packet, &weight) in packets.iter().zip(&weights) {
            for (sum, v) in exact.iter_mut().zip(decoded(packet)) {
                let units = v as f64 / unit;
                assert_eq!(units, units.round());
                *sum += units as i128 * weight as i128;
            }
        }
        let total: u32 = weights.iter().sum();
        let mut first = None;
        for _ in 0..5 {
            // some packets here, some there, in any order
            let (mut here, mut there) = (Sums::new(2, 7, -34), Sums::new(2, 7, -34));
            let (mut a, mut b) = (vec![0i64; len], vec![0i64; len]);
            let mut order: Vec<usize> = (0..packets.len()).collect();
            for i in (1..order.len()).rev() {
                order.swap(i, (rng.next() % (i as u64 + 1)) as usize);
            }
            for i in order {
                if rng.next().is_multiple_of(2) {
                    merge(&packets[i], &mut here, &mut a).unwrap();
                } else {
                    merge(&packets[i], &mut there, &mut b).unwrap();
                }
            }
            join(&there, &b, &mut here, &mut a).unwrap();
            assert_eq!((here.weight, here.packets), (total, shards));
            assert!(a.iter().zip(&exact).all(|(a, e)| *a as i128 == *e));
            let mut mean = vec![9.0f32; len];
            finish(&here, &a, &mut mean).unwrap();
            for (mean, exact) in mean.iter().zip(&exact) {
                let exact = *exact as f64 * unit / total as f64;
                assert!((*mean as f64 - exact).abs() <= 2f64.powi(-23) * exact.abs(), "{mean} {exact}");
            }
            let bits: Vec<u32> = mean.iter().map(|m| m.to_bits()).collect();
            assert_eq!(*first.get_or_insert(bits.clone()), bits);
        }
    }
}

#[test]
fn the_largest_sums_fit_and_no_further_packet_is_taken() {
    // The largest scale there is, all trits up, in packets of the largest weight.
    let options = Options { unit: 0, ..Options::default() };
    let most = f32::from_bits((2f32.powi(44)).to_bits() - 1);
    let at_most = Tag { weight: MAX_WEIGHT, ..tag(0, 0) };
    let packet = Sender::new(options, 3).send(&at_most, &[most, most, -most]);
    assert_eq!(decoded(&packet), [most, most, -most]);
    let (mut sums, mut values) = (Sums::new(0, 7, 0), [0i64; 3]);
    merge(&packet, &mut sums, &mut values).unwrap();
    let sum = (most as i128 * MAX_WEIGHT as i128) as i64;
    assert_eq!(values, [sum, sum, -sum]);
    let mut mean = [0.0; 3];
    finish(&sums, &values, &mut mean).unwrap();
    assert_eq!(mean, [most, most, -most]);
    let (held, kept) = (sums, values);
    let one = Sender::new(options, 3).send(&tag(0, 1), &[1.0, 1.0, 1.0]);
    assert_eq!(merge(&one, &mut sums, &mut values), Err(Error::InvalidArgument));
    let (mut other, mut others) = (Sums::new(0, 7, 0), [0i64; 3]);
    merge(&one, &mut other, &mut others).unwrap();
    assert_eq!(join(&other, &others, &mut sums, &mut values), Err(Error::InvalidArgument));
    assert_eq!((held, kept), (sums, values));
    // and what the unit cannot hold is refused by the sender
    let refused = Sender::new(options, 2).try_send(&tag(0, 0), &[2f32.powi(44), 0.0]);
    assert_eq!(refused.unwrap_err(), Error::ScaleRange);
    // what is far below it waits in the residual
    let mut sender = Sender::new(options, 2);
    let sent: Vec<f32> =
        (0..40).map(|step| decoded(&sender.send(&tag(step, 0), &[0.0, -0.125]))[1]).collect();
    assert_eq!(sent.iter().sum::<f32>() + sender.kept()[1], -5.0);
    assert!(sent[0] == 0.0 && sent.contains(&-1.0));
}

#[test]
fn with_feedback_the_mean_arrives_and_without_it_does_not() {
    let len = 2000;
    let gradient = gaussian(len, 1);
    for form in FORMS {
        let mut sender = Sender::new(Options { residual: form, ..Options::default() }, len);
        let (mut sent, steps) = (vec![0.0f64; len], 400);
        for step in 0..steps {
            let packet = sender.send(&tag(step, 0), &gradient);
            sent.iter_mut().zip(decoded(&packet)).for_each(|(s, v)| *s += v as f64 / steps as f64);
        }
        let lost: f64 = sent.iter().zip(&gradient).map(|(s, g)| (s - *g as f64).powi(2)).sum();
        let lost = (lost / len as f64).sqrt();
        println!("{form:?}: {lost:.4}");
        match form {
            Storage::None => assert!(lost > 0.3, "{lost}"),
            _ => assert!(lost < 0.1, "{form:?}: {lost}"),
        }
    }
}

#[test]
fn packets_that_are_not_whole_are_refused_and_change_nothing() {
    let len = 1300;
    let good = Sender::new(Options::default(), len).send(&tag(1, 2), &gaussian(len, 3));
    let mut sums = Sums::new(1, 7, -34);
    let mut values = vec![0i64; len];
    merge(&good, &mut sums, &mut values).unwrap();
    let before = (sums, values.clone());
    let mut refuse = |packet: &[u8], error: Error, what: &str| {
        let mut out = vec![5.0f32; len];
        assert_eq!(inspect(packet), Err(error), "{what}");
        assert_eq!(body(packet), Err(error), "{what}");
        assert_eq!(decode(packet, &mut out), Err(error), "{what}");
        assert_eq!(merge(packet, &mut sums, &mut values), Err(error), "{what}");
        assert!(out.iter().all(|v| *v == 5.0) && (sums, &values) == (before.0, &before.1), "{what}");
    };
    for at in 0..good.len() {
        for bit in [0, 3, 7] {
            let mut packet = good.clone();
            packet[at] ^= 1 << bit;
            let newer = at == 4; // version 0 is none at all
            refuse(
                &packet,
                if newer && packet[4] > 1 { Error::Version } else { Error::Corrupt },
                &format!("bit {bit} of {at}"),
            );
        }
    }
    for cut in [0, 1, 39, 40, 41, good.len() - 1] {
        refuse(&good[..cut], Error::Corrupt, "cut short");
    }
    refuse(&[&good[..], &[0]].concat(), Error::Corrupt, "too long");
    // Checksums are right from here on.
    let forge = |at: usize, bytes: &[u8]| {
        let mut packet = good.clone();
        packet[at..at + bytes.len()].copy_from_slice(bytes);
        resealed(packet)
    };
    assert_eq!(inspect(&forge(8, &[9])).unwrap().step, 9);
    refuse(&forge(5, &[1]), Error::Corrupt, "flag");
    refuse(&forge(6, &61i16.to_le_bytes()), Error::Corrupt, "unit");
    refuse(&forge(6, &(-101i16).to_le_bytes()), Error::Corrupt, "unit");
    refuse(&forge(24, &1301u32.to_le_bytes()), Error::Corrupt, "length");
    refuse(&forge(24, &u32::MAX.to_le_bytes()), Error::Corrupt, "length");
    refuse(&forge(32, &0u32.to_le_bytes()), Error::Corrupt, "weight");
    refuse(&forge(32, &(MAX_WEIGHT + 1).to_le_bytes()), Error::Corrupt, "weight");
    for code in [243, 255] {
        refuse(&forge(40 + 4 + 17, &[code]), Error::Corrupt, "code");
        refuse(&forge(good.len() - 1, &[code]), Error::Corrupt, "code");
    }
    for scale in [f32::NAN, f32::INFINITY, -1.0, -0.0, 1e-40, 1024.0, 2f32.powi(-35), 3.0 * 2f32.powi(-36)] {
        for at in [40, 40 + 260] {
            refuse(&forge(at, &scale.to_le_bytes()), Error::Corrupt, &format!("scale {scale}"));
        }
    }
    // Whole, but not for these sums.
    for other in [tag(2, 2), Tag { first: 8, ..tag(1, 2) }] {
        let packet = Sender::new(Options::default(), len).send(&other, &gaussian(len, 3));
        assert_eq!(merge(&packet, &mut sums, &mut values), Err(Error::InvalidArgument));
    }
    let packet =
        Sender::new(Options { unit: -33, ..Options::default() }, len).send(&tag(1, 2), &gaussian(len, 3));
    assert_eq!(merge(&packet, &mut sums, &mut values), Err(Error::InvalidArgument));
    assert_eq!(merge(&good, &mut sums, &mut values[1..]), Err(Error::Shape));
    assert_eq!(decode(&good, &mut [0.0; 1299]), Err(Error::Shape));
    assert_eq!(finish(&sums, &values, &mut vec![0.0; len - 1]), Err(Error::Shape));
    for wrong in [Sums { weight: 0, ..sums }, Sums { unit: 99, ..sums }, Sums { weight: u32::MAX, ..sums }] {
        assert_eq!(finish(&wrong, &values, &mut vec![0.0; len]), Err(Error::InvalidArgument));
    }
    let mut there = vec![0i64; len];
    for wrong in [Sums { step: 0, ..sums }, Sums { reserved: 1, ..sums }, Sums { unit: 0, ..sums }] {
        let mut into = Sums::new(1, 7, -34);
        assert_eq!(join(&wrong, &values, &mut into, &mut there), Err(Error::InvalidArgument));
    }
    assert_eq!(join(&sums, &values[1..], &mut Sums::new(1, 7, -34), &mut there), Err(Error::Shape));
    assert!((sums, values) == before && there.iter().all(|v| *v == 0));
}

#[test]
fn wrong_gradients_and_arguments_are_refused() {
    let len = 1500;
    for form in FORMS {
        let mut sender = Sender::new(Options { residual: form, ..Options::default() }, len);
        sender.send(&tag(0, 0), &gaussian(len, 1));
        for at in [0, 700, len - 1] {
            for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let mut gradient = gaussian(len, 2);
                gradient[at] = odd;
                assert_eq!(sender.try_send(&tag(1, 0), &gradient).unwrap_err(), Error::NonFinite);
            }
            let mut gradient = gaussian(len, 2);
            gradient[at] = -1030.0;
            assert_eq!(sender.try_send(&tag(1, 0), &gradient).unwrap_err(), Error::ScaleRange);
        }
        for weight in [0, MAX_WEIGHT + 1] {
            let tag = Tag { weight, ..tag(1, 0) };
            assert_eq!(sender.try_send(&tag, &gaussian(len, 2)).unwrap_err(), Error::InvalidArgument);
        }
    }
    let good = Options::default();
    let run = |options: Options, residual: usize, packet: usize, scratch: usize| {
        let (mut residual, mut packet, mut scratch) = (vec![0; residual], vec![0; packet], vec![0; scratch]);
        encode(&options, &tag(0, 0), &[1.0; 5], &mut residual, &mut packet, &mut scratch).map(|_| ())
    };
    let (size, room) = (packet_size(5).unwrap(), workspace_size(5).unwrap());
    assert_eq!(size, HEADER_BYTES + 5);
    assert_eq!(run(good, 20, size, room), Ok(()));
    assert_eq!(run(good, 19, size, room), Err(Error::Shape));
    assert_eq!(run(good, 20, size - 1, room), Err(Error::Shape));
    assert_eq!(run(good, 20, size, room - 1), Err(Error::WorkspaceTooSmall));
    for (wrong, error) in [
        (Options { sigma: 0.0, ..good }, Error::InvalidArgument),
        (Options { sigma: f32::NAN, ..good }, Error::InvalidArgument),
        (Options { unit: 61, ..good }, Error::InvalidArgument),
        (Options { unit: -101, ..good }, Error::InvalidArgument),
        (Options { residual: Storage::Ternary, ..good }, Error::Unsupported),
    ] {
        assert_eq!(run(wrong, 20, size, room), Err(error));
        assert_eq!(residual_size(&wrong, 5), Err(error));
    }
    assert_eq!(packet_size(usize::MAX), Err(Error::SizeOverflow));
    assert_eq!(packet_size(1 << 32), Err(Error::SizeOverflow));
    assert_eq!(residual_size(&good, usize::MAX), Err(Error::SizeOverflow));
}

#[test]
fn bytes_on_the_wire() {
    for len in [880, 1203, 4810, 100_000, 1 << 20] {
        let ratio = 4.0 * len as f64 / packet_size(len).unwrap() as f64;
        println!("{len} values: {} bytes, {ratio:.2} times fewer than f32", packet_size(len).unwrap());
        assert!(ratio >= 16.0, "{len}: {ratio}");
    }
    assert!(4.0 * 1e6 / packet_size(1_000_000).unwrap() as f64 > 19.6);
    assert_eq!(residual_size(&Options { residual: Storage::Int4, ..Options::default() }, 1280), Ok(680));
}

#[test]
fn the_body_is_the_packed_gradient_of_the_optimizer() {
    let len = 3000;
    let packet = Sender::new(Options::default(), len).send(&tag(0, 0), &gaussian(len, 8));
    let group = Group { rows: 1, cols: len, learning_rate: 0.1, radius: 1.0 };
    let mut out = vec![0.0; len];
    unpack_gradient(&[group], body(&packet).unwrap(), &mut out).unwrap();
    assert_eq!(out, decoded(&packet));
}

#[test]
fn the_same_bits_on_every_tier_and_from_a_resumed_run() {
    for len in LENGTHS {
        for form in FORMS {
            let options = Options { residual: form, seed: 4, ..Options::default() };
            let run = |resumed: bool| {
                let mut sender = Sender::new(options, len);
                let mut values = vec![0i64; len];
                let mut packet = Vec::new();
                for step in 0..4 {
                    packet = sender.send(&tag(step, 1), &gaussian(len, step));
                    merge(&packet, &mut Sums::new(step, 7, -34), &mut values).unwrap();
                    if resumed {
                        // only the residual is state
                        let residual = sender.residual.clone();
                        sender = Sender { residual, ..Sender::new(options, len) };
                    }
                }
                (packet, sender.residual, values)
            };
            let whole = same_on_every_tier(&format!("{len} {form:?}"), || run(false));
            assert!(whole == run(true), "{len} {form:?}");
        }
    }
}
