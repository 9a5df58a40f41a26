//! The language server: a folder of playbooks in an editor.
