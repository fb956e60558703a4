//! The options that `quantize` and `export` share.

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use hybridq::io::convert::{Recipe, fit_from_name};
use hybridq::io::model::Model;
use hybridq::io::printable;
use hybridq::quant::{Fit, Format, Granularity, NonFinite};
use wildmatch::WildMatch;

use crate::Stop;

/// How weights are quantized.
#[derive(clap::Args)]
pub struct RecipeArgs {
    /// How scales are fitted: mse (least error), lloyd (nearly so, faster), absmean (BitNet b1.58), absmax (what ggml writes; the
    /// only one of q8_0), percentile:P (P % of the weights become zero), norm (length kept),
    /// fixed:THRESHOLD,SCALE; q35p has mse and minmax (the range of the row) [default: mse, absmax for q8_0]
    #[arg(long, value_parser = parse_fit)]
    fit: Option<Fit>,
    /// Over which weights one scale is fitted [default: block, row for dense_ternary and q35p]
    #[arg(long)]
    granularity: Option<GranularityArg>,
    /// What to do with NaN and infinity
    #[arg(long, default_value = "error")]
    non_finite: NonFiniteArg,
    /// Keep tensors whose name matches exact, in their own type; * and ? are wildcards; may be repeated
    #[arg(long, value_name = "PATTERN")]
    keep: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum GranularityArg {
    Block,
    Row,
    Tensor,
}

#[derive(Clone, Copy, ValueEnum)]
enum NonFiniteArg {
    Error,
    Saturate,
}

impl RecipeArgs {
    /// The recipe for a format, or why there is none.
    pub fn recipe(&self, format: Format) -> Result<Recipe, Stop> {
        let granularity = self.granularity.map(|g| match g {
            GranularityArg::Block => Granularity::Block,
            GranularityArg::Row => Granularity::Row,
            GranularityArg::Tensor => Granularity::Tensor,
        });
        Recipe::new(format, self.fit, granularity, self.non_finite()).map_err(|_| {
            let has = match format {
                Format::Q8_0 => "only --fit absmax and --granularity block",
                Format::Q35B => "only --fit mse and --granularity block",
                Format::Q35P => "only --fit mse or minmax and --granularity row",
                Format::DenseTernary => "only --granularity row or tensor",
                _ => "every --fit but minmax",
            };
            Stop::Line(format!(
                "--format {} takes {has}; leave the option out for the default",
                format.name()
            ))
        })
    }

    /// Whether a name matches one of the patterns.
    pub fn keep(&self) -> impl Fn(&str) -> bool {
        let patterns: Vec<WildMatch> = self.keep.iter().map(|p| WildMatch::new(p)).collect();
        move |name: &str| patterns.iter().any(|p| p.matches(name))
    }

    /// Refuses a pattern that matches no tensor: most likely a slip of the pen.
    pub fn check_keep(&self, model: &Model) -> Result<(), Stop> {
        let unmatched = self.keep.iter().find(|p| {
            let pattern = WildMatch::new(p);
            !model.tensors.iter().any(|t| pattern.matches(&t.name))
        });
        let Some(pattern) = unmatched else { return Ok(()) };
        let (file, pattern) = (printable(&model.path.to_string_lossy()), printable(pattern));
        let mend = "'hybridq inspect' lists their names";
        Err(Stop::Line(format!("{file}: --keep '{pattern}' matches no tensor; {mend}")))
    }

    /// Whether a fit or granularity was asked for.
    pub fn has_fit(&self) -> bool {
        self.fit.is_some() || self.granularity.is_some()
    }

    /// What to do with NaN and infinity.
    pub fn non_finite(&self) -> NonFinite {
        match self.non_finite {
            NonFiniteArg::Error => NonFinite::Error,
            NonFiniteArg::Saturate => NonFinite::Saturate,
        }
    }

    /// Whether any of the options was given.
    pub fn is_given(&self) -> bool {
        let saturate = matches!(self.non_finite, NonFiniteArg::Saturate);
        self.fit.is_some() || self.granularity.is_some() || saturate || !self.keep.is_empty()
    }
}

fn parse_fit(text: &str) -> Result<Fit, String> {
    fit_from_name(text).ok_or_else(|| {
        "expected mse, lloyd, absmean, absmax, norm, minmax, percentile:P (0 <= P < 100) or fixed:THRESHOLD,SCALE".to_owned()
    })
}

/// Parses a format name, listing the names that exist.
pub fn format_parser() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::name))
        .try_map(|name| Format::from_name(&name).ok_or_else(|| format!("unknown format {name}")))
}

/// One format, or the choice among all.
#[derive(Clone, Copy)]
pub enum FormatArg {
    One(Format),
    Auto,
}

/// As [`format_parser`], and `auto`.
pub fn format_or_auto() -> impl TypedValueParser<Value = FormatArg> {
    let names = Format::ALL.map(Format::name).into_iter().chain(["auto"]);
    PossibleValuesParser::new(names).try_map(|name| match Format::from_name(&name) {
        Some(format) => Ok(FormatArg::One(format)),
        None if name.eq_ignore_ascii_case("auto") => Ok(FormatArg::Auto),
        None => Err(format!("unknown format {name}")),
    })
}
