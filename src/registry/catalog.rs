use super::{
    Names, Registry, RegistryError, challenge::Challenge, error, is_repository, pages, token::Scope,
};
use crate::http::HttpError;

impl Registry {
    /// The repositories that the catalog lists under a prefix (distribution: docs/spec/api.md, "Listing Repositories";
    /// the OCI specification has no catalog). The empty prefix means all.
    pub fn catalog(&self, prefix: &str) -> Result<Vec<String>, RegistryError> {
        let url = self.transport.at("v2/_catalog?n=1000")?;
        let inside = |name: &str| {
            prefix.is_empty()
                || name.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let mut found = Vec::new();
        let result = pages::read(&self.transport, &Scope::Catalog, url, "its catalog", |page| {
            let Names { repositories, .. } = self.names(&page.body)?;
            // A name that no repository can have is kept: reading it fails, and so it is reported.
            found.extend(repositories.into_iter().filter(|name| inside(name) && !name.is_empty()).map(
                |name| {
                    if is_repository(&name) { name } else { error::printable(&name) }
                },
            ));
            Ok(())
        });
        let refused = |status| RegistryError::CatalogRefused { place: self.place(""), status };
        match result {
            Ok(None) => {}
            // With Basic, 401 concerns our identity; with tokens, the permissions of ours.
            Ok(Some(answer)) if Challenge::choose(&answer.headers) == Some(Challenge::Basic) => {
                return Err(self.transport.refused(&Scope::Catalog, "list its repositories", &answer));
            }
            // The catalog is not offered (there are several ways to say so), or not to this account.
            Ok(Some(answer))
                if matches!(answer.status.as_u16(), 200 | 400 | 401 | 403 | 404 | 405 | 406 | 500 | 501) =>
            {
                return Err(refused(answer.status.as_u16()));
            }
            Ok(Some(answer)) => {
                return Err(self.transport.refused(&Scope::Catalog, "list its repositories", &answer));
            }
            Err(RegistryError::Denied { .. }) => return Err(refused(403)),
            // A redirect to a login.
            Err(RegistryError::Http(HttpError::Redirect { .. })) => return Err(refused(302)),
            Err(e) => return Err(e),
        }
        found.sort();
        found.dedup();
        Ok(found)
    }
}
