use super::{Inventory, is_lineage};
use crate::{
    address::{is_plain, plain},
    key::well_known,
    pack::{PackError, chain::is_name, files},
};

impl Inventory {
    /// Checks what the types don't express: names are unique, and every key's file is listed.
    pub(super) fn check_form(&self) -> Result<(), PackError> {
        let wrong = |reason: String| Err(PackError::Inventory(reason));
        if !is_lineage(&self.name) {
            return wrong(format!(
                "its name {:?} is not 1 to 64 letters, digits, dots and dashes",
                self.name
            ));
        }
        for pair in self.files.windows(2) {
            if pair[0].name >= pair[1].name {
                return wrong(format!("its files are not in order, or {:?} is a duplicate", pair[1].name));
            }
        }
        for pair in self.keys.windows(2) {
            if (pair[0].role, &pair[0].name) >= (pair[1].role, &pair[1].name) {
                return wrong(format!("its keys are not in order, or {:?} is a duplicate", pair[1].name));
            }
        }
        for pair in self.tuf.windows(2) {
            if pair[0].name >= pair[1].name {
                return wrong(format!("its chains are not in order, or {:?} is a duplicate", pair[1].name));
            }
        }
        for chain in &self.tuf {
            let listed = self.files.iter().any(|f| f.name == chain.file);
            if !is_name(&chain.name) || chain.file != format!("{}.tar", chain.name) || !listed {
                return wrong(format!(
                    "the file {:?} of the chain {:?} is not listed",
                    chain.file, chain.name
                ));
            }
        }
        for file in &self.files {
            let accounted =
                self.keys.iter().map(|key| &key.file).chain(self.tuf.iter().map(|chain| &chain.file));
            if !accounted.into_iter().any(|name| *name == file.name) && !files::is_derived(&file.name) {
                return Err(PackError::Unaccounted(file.name.clone()));
            }
        }
        for (index, key) in self.keys.iter().enumerate() {
            if !self.files.iter().any(|f| f.name == key.file) {
                return wrong(format!("the file {:?} of the key {:?} is not listed", key.file, key.name));
            }
            if key.file != format!("{}.{}", key.name, key.role.extension())
                || !key.name.starts_with(&format!("{}-", key.role))
            {
                return wrong(format!("the key {:?} has the file {:?}", key.name, key.file));
            }
            // A bare name belongs to only one key.
            if well_known(key.key_ref()) != Some(&key.name) && !is_plain_name(&key.name) {
                return wrong(format!("the key {:?} has a name that belongs to another key", key.name));
            }
            if self.keys[..index].iter().any(|k| k.role == key.role && k.id == key.id) {
                return wrong(format!("the id of the key {:?} is a duplicate", key.name));
            }
        }
        let addresses = self.keys.iter().flat_map(|key| key.url.iter().chain(&key.origin));
        let sources = self.keys.iter().flat_map(|key| key.provenance.iter().map(|p| &p.source));
        let sources = sources.chain(self.tuf.iter().map(|chain| &chain.repository));
        if !addresses.map(String::as_str).all(|text| plain(text) == text)
            || !sources.map(String::as_str).all(is_plain)
        {
            return wrong("an address in it has a user name, a password, a query or a fragment".into());
        }
        for pair in self.rules.windows(2) {
            if pair[0].scope >= pair[1].scope {
                return wrong(format!("its rules are not in order, or {} is a duplicate", pair[1].scope));
            }
        }
        for rule in &self.rules {
            rule.check(&|key| self.key(key).is_some())
                .or_else(|reason| wrong(format!("the rule for {}: {reason}", rule.scope)))?;
        }
        Ok(())
    }
}

/// `role-12345678`.
fn is_plain_name(name: &str) -> bool {
    let digits = name.split_once('-').map_or("", |(_, digits)| digits);
    digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}
