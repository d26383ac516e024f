use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// The environment variables that determine where credentials are looked up, as a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Locations {
    /// `--authfile`, or `REGISTRY_AUTH_FILE`. It is then the only file, and it must exist.
    pub authfile: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`.
    pub runtime_dir: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`.
    pub config_home: Option<PathBuf>,
    /// `DOCKER_CONFIG`.
    pub docker_config: Option<PathBuf>,
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// `PATH`, for credential programs.
    pub path: Option<OsString>,
    /// The numeric user id.
    pub uid: Option<u32>,
}

/// A file that may hold credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    /// Whether its absence is an error.
    pub(super) required: bool,
    /// Whether it has the format of ~/.dockercfg: entries without an enclosing `auths`.
    pub(super) legacy: bool,
}

impl Locations {
    /// Reads the variables from an environment: `Locations::from_vars(std::env::var_os, Some(uid))`. Empty variables
    /// count as unset.
    pub fn from_vars(var: impl Fn(&str) -> Option<OsString>, uid: Option<u32>) -> Self {
        let set = |name| var(name).filter(|value| !value.is_empty());
        let path = |name| set(name).map(PathBuf::from);
        Self {
            authfile: path("REGISTRY_AUTH_FILE"),
            runtime_dir: path("XDG_RUNTIME_DIR"),
            config_home: path("XDG_CONFIG_HOME"),
            docker_config: path("DOCKER_CONFIG"),
            home: path("HOME"),
            path: set("PATH"),
            uid,
        }
    }

    /// The files, in order of precedence.
    pub(super) fn places(&self) -> Vec<Place> {
        if let Some(path) = &self.authfile {
            return vec![Place { path: path.clone(), required: true, legacy: false }];
        }
        let at = |path: PathBuf| Place { path, required: false, legacy: false };
        let home = |rest: &str| self.home.as_ref().map(|home| home.join(rest));
        let runtime = self.runtime_dir.as_ref().map(|dir| dir.join("containers/auth.json")).or_else(|| {
            self.uid.map(|uid| Path::new("/run/containers").join(uid.to_string()).join("auth.json"))
        });
        let config =
            self.config_home.clone().or_else(|| home(".config")).map(|d| d.join("containers/auth.json"));
        let docker =
            self.docker_config.clone().or_else(|| home(".docker")).map(|dir| dir.join("config.json"));
        let mut places: Vec<_> = [runtime, config, docker].into_iter().flatten().map(at).collect();
        places.extend(home(".dockercfg").map(|path| Place { legacy: true, ..at(path) }));
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(env: &Locations) -> Vec<String> {
        env.places().into_iter().map(|p| p.path.display().to_string()).collect()
    }

    fn vars(pairs: &'static [(&str, &str)]) -> Locations {
        Locations::from_vars(|name| pairs.iter().find(|(k, _)| *k == name).map(|(_, v)| (*v).into()), Some(7))
    }

    #[test]
    fn the_order_is_that_of_the_manual_page() {
        assert_eq!(
            paths(&vars(&[("HOME", "/h"), ("XDG_RUNTIME_DIR", "/r")])),
            [
                "/r/containers/auth.json",
                "/h/.config/containers/auth.json",
                "/h/.docker/config.json",
                "/h/.dockercfg"
            ]
        );
        assert_eq!(
            paths(&vars(&[
                ("HOME", "/h"),
                ("XDG_RUNTIME_DIR", ""),
                ("XDG_CONFIG_HOME", "/c"),
                ("DOCKER_CONFIG", "/d")
            ])),
            ["/run/containers/7/auth.json", "/c/containers/auth.json", "/d/config.json", "/h/.dockercfg"]
        );
    }

    #[test]
    fn a_file_that_the_user_names_is_the_only_one() {
        let env = vars(&[("HOME", "/h"), ("REGISTRY_AUTH_FILE", "/a.json")]);
        assert_eq!(paths(&env), ["/a.json"]);
        assert!(env.places()[0].required);
    }
}
