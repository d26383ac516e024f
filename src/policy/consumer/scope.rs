//! Which scope of a policy, or section of registries.d, is an image's (`docker/policyconfiguration/naming.go`): the most precise.

use super::{policy::Scopes, reference::ImageName};

/// Where the requirements of an image are from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matched {
    /// A scope of the transport docker.
    Scope(String),
    /// The default of the transport docker: the scope `""`.
    Transport,
    /// The default of the policy.
    Default,
}

/// The name, then what it lies in: the repository, its namespaces, the host with its port, and `*.DOMAIN` for every domain above
/// the host, without the port.
pub(super) fn namespaces(name: &ImageName) -> Vec<String> {
    let mut all = vec![name.to_string()];
    let mut rest = name.name();
    loop {
        all.push(rest.to_owned());
        match rest.rsplit_once('/') {
            Some((start, _)) => rest = start,
            None => break,
        }
    }
    let mut domain = rest.split(':').next().unwrap_or_default();
    while let Some((_, above)) = domain.split_once('.') {
        all.push(format!("*.{above}"));
        domain = above;
    }
    all
}

impl<R> Scopes<R> {
    /// The requirements of an image, and where they are from.
    pub(super) fn of(&self, name: &ImageName) -> (Matched, &[R]) {
        let scope = namespaces(name).into_iter().find_map(|scope| {
            let requirements = self.docker.get(&scope)?;
            Some((Matched::Scope(scope), requirements.as_slice()))
        });
        let transport = || self.docker.get("").map(|list| (Matched::Transport, list.as_slice()));
        scope.or_else(transport).unwrap_or((Matched::Default, &self.default))
    }
}
