//! Networks of numbers, from the best source that knows.

use std::sync::Arc;

use domain::lane::Lane;
use domain::network::{Network, NumberRanges};
use domain::phone::Phone;

use super::handle::{Figures, Portability};
use super::known::{LookUpError, NetworkSource, NumberFacts};

/// Ported numbers over number ranges. Cheap to clone.
#[derive(Clone, Default)]
pub struct Networks {
    ranges: Arc<NumberRanges>,
    portability: Portability,
}

/// Numbers that the service was asked for just now.
#[derive(Clone, Debug, Default)]
pub struct Fresh(Vec<Phone>);

impl Fresh {
    /// Where a network is known from that was remembered when it was asked for.
    #[must_use]
    pub fn source_of(&self, phone: Phone, source: NetworkSource) -> NetworkSource {
        match source {
            NetworkSource::Cache if self.0.contains(&phone) => NetworkSource::LookUp,
            source => source,
        }
    }
}

impl From<NumberRanges> for Networks {
    /// Without a source of ported numbers.
    fn from(ranges: NumberRanges) -> Self {
        Self::new(ranges, Portability::default())
    }
}

impl Networks {
    /// What a source of ported numbers knows over what the ranges say.
    #[must_use]
    pub fn new(ranges: NumberRanges, portability: Portability) -> Self {
        Self { ranges: Arc::new(ranges), portability }
    }

    /// The network of a number and where that is known from. Never waits.
    #[must_use]
    pub fn of(&self, phone: Phone) -> Option<(Network, NetworkSource)> {
        let ported = self.portability.remembered(phone).map(|(known, source)| (known.network, source));
        ported.or_else(|| Some((self.ranges.network_of(phone)?, NetworkSource::NumberRange)))
    }

    /// Whether somebody may be asked for numbers.
    #[must_use]
    pub fn can_be_asked(&self) -> bool {
        self.portability.can_be_asked()
    }

    /// Counts for metrics; nothing without a source of ported numbers.
    #[must_use]
    pub fn figures(&self) -> Option<Figures> {
        self.portability.figures()
    }

    /// Has numbers asked for of which nothing is known yet, and waits no longer than the lane may.
    pub async fn ask_for(&self, phones: impl Iterator<Item = Phone>, lane: Lane) -> Fresh {
        Fresh(self.portability.ask_for(phones, lane).await)
    }

    /// Everything that is known of a number; the service is asked, if there is one. `None` when nobody knows it.
    ///
    /// # Errors
    /// [`LookUpError`] when the service can't be asked: then the range would be a guess.
    pub async fn look_up(&self, phone: Phone) -> Result<Option<NumberFacts>, LookUpError> {
        let range = self.ranges.network_of(phone);
        let facts = match self.portability.look_up(phone).await? {
            Some((known, source)) => {
                let differs = range.map(|range| range != known.network);
                let ported = known.ported.or(differs);
                NumberFacts { phone, network: known.network, name: None, ported, imsi: known.imsi, source }
            }
            None => {
                let Some(network) = range else { return Ok(None) };
                let source = NetworkSource::NumberRange;
                NumberFacts { phone, network, name: None, ported: None, imsi: None, source }
            }
        };
        Ok(Some(NumberFacts { name: self.ranges.name_of(facts.network).map(Into::into), ..facts }))
    }
}
