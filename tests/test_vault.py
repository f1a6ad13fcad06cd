"""Secrets at rest (threats.md O2)."""

from pathlib import Path

import pytest

from bot.errors import ConfigurationError
from bot.vault import MOST, CannotOpen, Vault, new_key


def test_o2_what_is_sealed_for_one_team_opens_for_no_other(tmp_path: Path) -> None:
    vault = Vault([new_key()], tmp_path / "keys")
    sealed = vault.seal("xoxb-1", "T0ACME")
    assert vault.open(sealed, "T0ACME") == "xoxb-1"
    for strange in (sealed[:-2] + "AA", "nothing", f"{sealed.partition('.')[0]}.%%", ""):
        with pytest.raises(CannotOpen):
            vault.open(strange, "T0ACME")
    with pytest.raises(CannotOpen):
        vault.open(sealed, "T0BLUE")
    with pytest.raises(CannotOpen, match="not in SECRET_KEYS"):
        Vault([new_key()], tmp_path / "keys").open(sealed, "T0ACME")


def test_o2_an_old_key_still_opens_and_the_newest_seals(tmp_path: Path) -> None:
    old, new = new_key(), new_key()
    sealed = Vault([old], tmp_path / "keys").seal("xoxb-1", "T0ACME")
    both = Vault([new, old], tmp_path / "keys")
    assert both.open(sealed, "T0ACME") == "xoxb-1"
    assert not both.is_newest(sealed)
    assert both.is_newest(both.seal("xoxb-1", "T0ACME"))


def test_o2_without_keys_they_are_kept_in_a_file_that_only_we_can_read(tmp_path: Path) -> None:
    file = tmp_path / "new" / "keys"
    sealed = Vault([], file).seal("xoxb-1", "T0ACME")
    assert file.stat().st_mode & 0o777 == 0o600
    for _ in range(MOST - 1):
        assert Vault([], file).renew()
    assert Vault([], file).open(sealed, "T0ACME") == "xoxb-1"
    Vault([], file).renew()
    with pytest.raises(CannotOpen):
        Vault([], file).open(sealed, "T0ACME")


def test_o2_given_keys_are_the_operators_to_change_and_long_enough(tmp_path: Path) -> None:
    assert not Vault([new_key()], tmp_path / "keys").renew()
    with pytest.raises(ConfigurationError, match="keys new"):
        Vault(["short"], tmp_path / "keys")


def test_o2_a_place_where_no_key_can_be_kept_names_the_settings(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="SECRET_KEYS, or DATA_DIR"):
        Vault([], tmp_path / "file" / "keys").seal("xoxb-1", "T0ACME")


def test_o2_a_key_file_that_cannot_be_read_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    with pytest.raises(ConfigurationError, match="Set SECRET_KEYS"):
        Vault([], tmp_path / "keys").seal("xoxb-1", "T0ACME")
