//! The hybrid step: kept or taken back to the bit, whatever the losses say.

use hybridq::Error;
use hybridq::constrain::{L2Ball, Project, Set, TrustOptions, TrustRegion, Verdict};
use hybridq::learn::hybrid::{
    Batch, Hybrid, Model, Multipliers, Options, Proposal, State, start, undo_size, workspace_size,
};
use hybridq::learn::optimizer::{
    self, Base, GradientForm, Group, Inputs, Outputs, Storage, memory_size, packed_size,
};

use crate::optimizer_support::{Aligned, Quadratic, Run, group};

/// A model of its own, and all that the step needs.
struct Net {
    optimizer: optimizer::Options,
    options: Options,
    groups: Vec<Group>,
    state: State,
    memory: Aligned,
    undo: Vec<u8>,
    scratch: Vec<u8>,
    params: Vec<f32>,
    visible: Vec<f32>,
    packed: Vec<u8>,
    set: Option<Set<'static>>,
}

impl Net {
    fn new(optimizer: optimizer::Options, groups: &[Group], radius: f32) -> Net {
        let n = groups.iter().map(|g| g.rows * g.cols).sum();
        let mut memory = Aligned::new(memory_size(&optimizer, groups).unwrap());
        let region = TrustRegion::new(radius).unwrap();
        let state = start(&optimizer, groups, region, memory.bytes()).unwrap();
        let packed = vec![0; packed_size(&optimizer, groups).unwrap()];
        Net {
            optimizer,
            options: Options::default(),
            groups: groups.to_vec(),
            state,
            memory,
            undo: vec![0xA5; undo_size(&optimizer, groups, n, packed.len()).unwrap()],
            scratch: vec![0xA5; workspace_size(&optimizer, groups, None).unwrap()],
            params: vec![0.0; n],
            visible: vec![0.0; n],
            packed,
            set: None,
        }
    }

    fn with<T>(&mut self, f: impl FnOnce(&mut Hybrid<'_>, &mut Model<'_>, &mut [u8]) -> T) -> T {
        let mut hybrid = Hybrid {
            options: &self.options,
            optimizer: &self.optimizer,
            groups: &self.groups,
            set: self.set,
            state: &mut self.state,
            memory: self.memory.bytes(),
            undo: &mut self.undo,
        };
        let mut model =
            Model { params: &mut self.params, visible: &mut self.visible, packed: &mut self.packed };
        f(&mut hybrid, &mut model, &mut self.scratch)
    }

    fn propose(&mut self, loss: f32, gradient: &[f32], by: Multipliers) -> Result<Proposal, Error> {
        self.with(|hybrid, model, scratch| hybrid.propose(&Batch { loss, gradient }, by, model, scratch))
    }

    fn judge(&mut self, trial_loss: f32) -> Result<hybridq::constrain::TrustOutcome, Error> {
        self.with(|hybrid, model, _| hybrid.judge(trial_loss, model))
    }

    fn undo(&mut self) -> Result<(), Error> {
        self.with(|hybrid, model, _| hybrid.undo(model))
    }

    /// Everything that a step changes, but for the region.
    fn arrays(&mut self) -> (Vec<u32>, Vec<u32>, Vec<u8>, Vec<u8>, optimizer::State) {
        let bits = |x: &[f32]| x.iter().map(|v| v.to_bits()).collect();
        let memory = self.memory.bytes().to_vec();
        (bits(&self.params), bits(&self.visible), self.packed.clone(), memory, self.state.optimizer)
    }

    /// A step on the quadratic with full precision parameters; whether it was kept.
    fn step(&mut self, problem: &Quadratic) -> bool {
        let (loss, gradient) = (problem.loss(&self.params) as f32, problem.gradient(&self.params));
        let Proposal::Trial(_) = self.propose(loss, &gradient, Multipliers::ONE).unwrap() else {
            panic!("refused at loss {loss}")
        };
        let trial = problem.loss(&self.params) as f32;
        self.judge(trial).unwrap().verdict == Verdict::Accepted
    }
}

/// Every kind of state and output at once.
fn everything() -> optimizer::Options {
    optimizer::Options {
        base: Base::NadamW,
        moment: Storage::Int8,
        second: Storage::Int4,
        gradient: GradientForm::Ternary,
        residual: Storage::F32,
        weight_decay: 0.01,
        ..optimizer::Options::DEFAULT
    }
}

fn shapes() -> [Group; 3] {
    [group(3, 100, 0.05), group(1, 7, 0.1), Group { radius: 0.2, ..group(2, 700, 0.02) }]
}

fn len(groups: &[Group]) -> usize {
    groups.iter().map(|g| g.rows * g.cols).sum()
}

#[test]
fn what_is_taken_back_is_back_to_the_bit() {
    let problem = Quadratic::new(len(&shapes()));
    for judged in [None, Some(f32::NAN), Some(f32::INFINITY), Some(1e30)] {
        let mut net = Net::new(everything(), &shapes(), 0.5);
        for _ in 0..3 {
            net.step(&problem);
        }
        let (before, radius) = (net.arrays(), net.state.region.radius);
        let gradient = problem.gradient(&net.params);
        net.propose(1.0, &gradient, Multipliers { learning_rate: 2.0, radius: 0.5 }).unwrap();
        assert_ne!(net.arrays(), before);
        match judged {
            None => net.undo().unwrap(),
            Some(loss) => {
                let outcome = net.judge(loss).unwrap();
                assert_ne!(outcome.verdict, Verdict::Accepted, "{loss}");
                assert_eq!(outcome.radius, 0.25 * radius);
            }
        }
        assert_eq!(net.arrays(), before, "{judged:?}");
        assert!(net.state.pending.is_none());
        if judged.is_none() {
            assert_eq!(net.state.region.radius, radius);
        }
    }
}

#[test]
fn multipliers_of_one_are_the_optimizer_and_others_scale_it() {
    let problem = Quadratic::new(len(&shapes()));
    for (rate, radius) in [(1.0f32, 1.0f32), (2.0, 1.0), (0.25, 4.0), (0.0, 1.0)] {
        let mut net = Net::new(everything(), &shapes(), 0.5);
        let total = net.params.len() as f32;
        let scaled: Vec<Group> = (shapes().iter())
            .map(|g| Group {
                learning_rate: g.learning_rate * rate,
                radius: g.radius.min(0.5 * radius * ((g.rows * g.cols) as f32 / total).sqrt()),
                ..*g
            })
            .collect();
        let mut plain = Run::new(everything(), &scaled);
        let mut x = net.params.clone();
        let gradient = problem.gradient(&x);
        let inputs = Inputs { gradient: &gradient, ..Inputs::default() };
        let expected = plain.try_step(&inputs, &mut x, Outputs::default()).unwrap();
        let found = net.propose(1.0, &gradient, Multipliers { learning_rate: rate, radius }).unwrap();
        let Proposal::Trial(report) = found else { panic!("{found:?}") };
        assert_eq!(report.step_norm, expected.step_norm);
        assert_eq!(net.params, x, "{rate} {radius}");
        assert_eq!(net.groups, shapes(), "the groups are the caller's");
    }
}

#[test]
fn the_whole_step_stays_within_the_radius() {
    let problem = Quadratic::new(len(&shapes()));
    let fast: Vec<Group> = shapes().iter().map(|g| Group { learning_rate: 1e3, ..*g }).collect();
    for radius in [1e-6f32, 0.01, 1.0] {
        let mut net = Net::new(optimizer::Options::DEFAULT, &fast, radius);
        let gradient = problem.gradient(&net.params);
        let Proposal::Trial(report) = net.propose(1.0, &gradient, Multipliers::ONE).unwrap() else {
            panic!()
        };
        assert!(report.step_norm <= radius * 1.000_01, "{} over {radius}", report.step_norm);
        assert!(report.bounded > 0);
        let moved = net.params.iter().map(|x| (*x as f64).powi(2)).sum::<f64>().sqrt();
        assert!(moved <= radius as f64 * 1.000_01);
    }
}

/// A learning rate with which every base direction diverges by itself.
#[test]
fn a_rate_that_diverges_is_caught() {
    let groups = [group(1, 500, 50.0)];
    let problem = Quadratic::new(500);
    for base in [Base::Sgd, Base::Nesterov, Base::NadamW] {
        let optimizer = optimizer::Options { base, clip_norm: f32::INFINITY, ..optimizer::Options::DEFAULT };
        let mut alone = Run::new(optimizer, &groups);
        let mut x = vec![0.0; 500];
        let first = problem.loss(&x);
        let diverged = (0..30).any(|_| {
            let gradient = problem.gradient(&x);
            let inputs = Inputs { gradient: &gradient, ..Inputs::default() };
            alone.try_step(&inputs, &mut x, Outputs::default()).is_err() || problem.loss(&x) > 10.0 * first
        });
        assert!(diverged, "{base:?}: {} after {first}", problem.loss(&x));
        let mut net = Net::new(optimizer, &groups, 1e-2);
        let mut worst = 0.0f64;
        for _ in 0..400 {
            net.step(&problem);
            worst = worst.max(problem.loss(&net.params));
        }
        let last = problem.loss(&net.params);
        assert!(worst <= 1.2 * first, "{base:?}: {worst} after {first}");
        assert!(last < 0.05 * first, "{base:?}: {last} of {first}");
        assert!(net.state.region.statistics.activation_rate() > 0.1);
    }
}

#[test]
fn hostile_numbers_are_refused_and_nothing_is_lost() {
    let problem = Quadratic::new(len(&shapes()));
    let mut net = Net::new(everything(), &shapes(), 0.5);
    net.step(&problem);
    let good = problem.gradient(&net.params);
    let mut bad = good.clone();
    bad[5] = f32::NAN;
    let cases = [(f32::NAN, &good), (f32::INFINITY, &good), (1.0, &bad)];
    for (i, (loss, gradient)) in cases.into_iter().enumerate() {
        let (before, radius) = (net.arrays(), net.state.region.radius);
        let found = net.propose(loss, gradient, Multipliers::ONE).unwrap();
        let Proposal::Refused(outcome) = found else { panic!("case {i}: {found:?}") };
        assert_eq!((outcome.verdict, outcome.radius), (Verdict::Refused, 0.25 * radius));
        assert_eq!(net.arrays(), before);
        assert!(net.state.pending.is_none());
    }
    assert_eq!(net.state.region.statistics.refused, 3);
    // Gradients of any size: a step that is finite, or a refusal that changes nothing.
    for size in [0.0f32, 1e-38, 1e-30, 1e30, 3e38] {
        let mut net = Net::new(everything(), &shapes(), 0.5);
        let gradient: Vec<f32> = good.iter().map(|g| (g * size).clamp(-3e38, 3e38)).collect();
        let before = net.arrays();
        let report = match net.propose(1.0, &gradient, Multipliers::ONE).unwrap() {
            Proposal::Trial(report) => report,
            Proposal::Refused(outcome) => {
                assert!(size > 1e38 && outcome.radius == 0.125 && net.arrays() == before, "{size}");
                continue;
            }
        };
        assert!(report.step_norm.is_finite() && report.step_norm <= 0.500_01, "{size}: {report:?}");
        assert!(net.params.iter().all(|x| x.is_finite()));
        assert_eq!(size == 0.0, net.params.iter().all(|&x| x == 0.0), "{size}");
        let outcome = net.judge(1.0).unwrap();
        assert!(outcome.radius > 0.0 && outcome.radius.is_finite());
    }
}

#[test]
fn a_step_along_the_level_set_is_judged_by_the_loss() {
    // The momentum of a hundred steps one way, then a gradient across it.
    let make = || {
        let optimizer = optimizer::Options { clip_norm: f32::INFINITY, ..optimizer::Options::DEFAULT };
        let mut net = Net::new(optimizer, &[group(1, 2, 1e-3)], 10.0);
        for _ in 0..100 {
            net.propose(1.0, &[1.0, 0.0], Multipliers::ONE).unwrap();
            net.with(|hybrid, _, _| hybrid.state.pending = None);
        }
        net
    };
    for (trial, verdict, shrinks) in [
        (1.05, Verdict::Accepted, false),
        (0.2, Verdict::Accepted, false),
        (1.2, Verdict::Rejected, true),
        (f32::NAN, Verdict::Refused, true),
    ] {
        let mut net = make();
        let found = net.propose(1.0, &[0.0, 0.01], Multipliers::ONE).unwrap();
        let Proposal::Trial(report) = found else { panic!("{found:?}") };
        assert!(report.efficiency < 0.05 && report.step_norm > 0.0, "{report:?}");
        let outcome = net.judge(trial).unwrap();
        assert_eq!((outcome.verdict, outcome.radius), (verdict, if shrinks { 2.5 } else { 10.0 }), "{trial}");
    }
    // Asked to, the ratio judges it: the linear model foretold next to nothing, so the guard decides.
    let mut net = make();
    net.options.least_efficiency = -1.0;
    net.propose(1.0, &[0.0, 0.01], Multipliers::ONE).unwrap();
    assert_eq!(net.judge(1.05).unwrap().verdict, Verdict::Rejected);
}

#[test]
fn an_interrupted_run_goes_on_with_the_same_bits() {
    let problem = Quadratic::new(len(&shapes()));
    let mut whole = Net::new(everything(), &shapes(), 0.5);
    let mut parts = Net::new(everything(), &shapes(), 0.5);
    for _ in 0..20 {
        whole.step(&problem);
    }
    for _ in 0..10 {
        parts.step(&problem);
    }
    // What a checkpoint holds; everything else is made anew.
    let (state, memory, params) = (parts.state, parts.memory.bytes().to_vec(), parts.params.clone());
    let mut resumed = Net::new(everything(), &shapes(), 3.0);
    (resumed.state, resumed.memory, resumed.params) = (state, Aligned::of(&memory), params);
    for _ in 0..10 {
        resumed.step(&problem);
    }
    assert_eq!(resumed.state, whole.state);
    assert_eq!(resumed.arrays(), whole.arrays());
}

#[test]
fn a_set_holds_after_every_step() {
    let problem = Quadratic::new(len(&shapes()));
    let mut net = Net::new(everything(), &shapes(), 0.5);
    let ball = Set::L2Ball(L2Ball { center: None, radius: 0.3 });
    net.set = Some(ball);
    net.scratch = vec![0; workspace_size(&net.optimizer, &net.groups, Some(&ball)).unwrap()];
    for _ in 0..50 {
        net.step(&problem);
        assert!(ball.violation(&net.params).unwrap() <= 1e-6);
    }
    assert!(net.params.iter().any(|&x| x != 0.0));
}

#[test]
fn misuse_is_refused_and_changes_nothing() {
    let problem = Quadratic::new(len(&shapes()));
    let fresh = || Net::new(everything(), &shapes(), 0.5);
    let gradient = problem.gradient(&fresh().params);
    let bad = |learning_rate: f32, radius: f32| Multipliers { learning_rate, radius };
    let all =
        [bad(-1.0, 1.0), bad(f32::NAN, 1.0), bad(f32::INFINITY, 1.0), bad(1.0, 0.0), bad(1.0, f32::NAN)];
    for by in all {
        let mut net = fresh();
        let before = (net.arrays(), net.state);
        assert_eq!(net.propose(1.0, &gradient, by), Err(Error::InvalidArgument), "{by:?}");
        assert_eq!((net.arrays(), net.state), before);
    }
    type Spoil = fn(&mut Net);
    let spoils: [(Spoil, Error); 7] = [
        (|n| n.undo.truncate(n.undo.len() - 1), Error::OutputTooSmall),
        (|n| n.scratch.truncate(n.scratch.len() - 1), Error::WorkspaceTooSmall),
        (|n| n.params.truncate(5), Error::Shape),
        (|n| n.packed.truncate(5), Error::OutputTooSmall),
        (|n| n.params[3] = f32::NAN, Error::NonFinite),
        (|n| n.options.tolerated_rise = -1.0, Error::InvalidArgument),
        (|n| n.state.region.radius = f32::NAN, Error::InvalidArgument),
    ];
    for (i, (spoil, error)) in spoils.into_iter().enumerate() {
        let mut net = fresh();
        spoil(&mut net);
        let before = (net.arrays(), format!("{:?}", net.state));
        assert_eq!(net.propose(1.0, &gradient, Multipliers::ONE), Err(error), "case {i}");
        assert_eq!((net.arrays(), format!("{:?}", net.state)), before, "case {i}");
    }
    let mut net = fresh();
    assert_eq!(net.judge(1.0), Err(Error::InvalidArgument), "nothing waits");
    assert_eq!(net.undo(), Err(Error::InvalidArgument));
    net.propose(1.0, &gradient, Multipliers::ONE).unwrap();
    let before = (net.arrays(), net.state);
    assert_eq!(net.propose(1.0, &gradient, Multipliers::ONE), Err(Error::InvalidArgument), "one waits");
    net.undo.pop();
    assert_eq!(net.judge(0.5), Err(Error::OutputTooSmall));
    assert_eq!((net.arrays(), net.state), before);
    let odd = TrustOptions { shrink: 2.0, ..TrustOptions::default() };
    let region = TrustRegion { options: odd, ..TrustRegion::new(1.0).unwrap() };
    let mut memory = Aligned::new(memory_size(&everything(), &shapes()).unwrap());
    assert_eq!(start(&everything(), &shapes(), region, memory.bytes()), Err(Error::InvalidArgument));
}
