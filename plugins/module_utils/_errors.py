# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way in which a backup can fail, by name.

A class per failure. ``code`` is stable: operators, alerts and the audit log refer to it. ``remedy`` says what to do
about it. The message of an instance states the facts of this very failure; ``facts`` carries them as data. Nothing in
either may ever be a secret. Only the edge (``_edge``) turns these into module results; ``docs/errors.md`` is generated
from this file.
"""

from __future__ import annotations

from typing import Any, ClassVar, Dict, List, Type

STOP = "stop"  # the run ends here
CARRY = "carry"  # the run goes on to its end and then fails with this code


class BackupError(Exception):
    """Base of all named failures.

    :param message: what happened, with the facts, in one or a few sentences; no secrets.
    :param facts: the same facts as JSON-able data for ``facts`` of the module's result; no secrets.
    """

    code: ClassVar[str] = "internal_error"
    remedy: ClassVar[str] = (
        "This is a defect of wst.backup. Run again with -vvv, keep the run's directory and report both."
    )
    effect: ClassVar[str] = STOP
    doctrine: ClassVar[str] = ""  # the failure mode of canonical 026 that this is (F1, F2, F3)

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts: Dict[str, Any] = facts

    def as_problem(self) -> Dict[str, Any]:
        """The failure as data, as it stands in results, the audit log and preflight's list of problems."""
        return {"code": self.code, "message": self.message, "remedy": self.remedy, "facts": self.facts}


# --- database -------------------------------------------------------------------------------------------------------


class DbAuthFailed(BackupError):
    """The server refused the user name or the password."""

    code = "db_auth_failed"
    doctrine = "F1"
    remedy = (
        "Reset the database user's password and put it into db.key with playbook rotate_db_key.yml, which tests it; or "
        "write it by hand (one line, no quotes, no spaces) and test it with psql. A rotation that was interrupted is "
        "ended by running that playbook again."
    )


class DbUnreachable(BackupError):
    """No connection to the server, or it broke."""

    code = "db_unreachable"
    remedy = (
        "Check host name, port and firewall rules from the Windows host, and that the server runs; "
        "then run the backup again."
    )


class DbTlsFailed(BackupError):
    """The connection could not be made secret and verified."""

    code = "db_tls_failed"
    remedy = (
        "Check sslmode, sslrootcert and the host name in the server's certificate. Install the roots that the "
        "server's provider publishes; never lower sslmode to get past this."
    )


class DbVersionMismatch(BackupError):
    """The client tools are older than the server, or do not match each other."""

    code = "db_version_mismatch"
    remedy = (
        "Install PostgreSQL client tools of the server's major version or newer with playbook bootstrap.yml "
        "and point the tools directory at them."
    )


class DbNotFound(BackupError):
    """The database does not exist on that server."""

    code = "db_not_found"
    remedy = "Check the database name and that the host is the intended server."


class DbPermission(BackupError):
    """Our role may not read something that must be in the dump, or not do something that a restore must do."""

    code = "db_permission"
    remedy = (
        "Grant the role what it lacks (membership in the owning roles, for a backup SELECT on the named tables and "
        "large objects, for a restore CREATEDB), then run again."
    )


class DbRoleMissing(BackupError):
    """The target server lacks roles that the dump names."""

    code = "db_role_missing"
    remedy = (
        "Run roles.sql of the artifact on the server with psql (what exists already is reported and harmless), set the "
        "passwords of the named login roles, which no backup holds, then run again."
    )


class DbRowSecurity(BackupError):
    """Row level security would hide rows from the backup role."""

    code = "db_row_security"
    remedy = (
        "Let the backup role own the named tables' owner role without FORCE ROW LEVEL SECURITY, or give it "
        "BYPASSRLS. A dump that leaves rows out is never made."
    )


class DbLockTimeout(BackupError):
    """A table stayed locked by somebody else for longer than the lock timeout."""

    code = "db_lock_timeout"
    remedy = "Find the session that holds the lock (pg_locks, pg_stat_activity), let it end, and run again."


class DbLost(BackupError):
    """The database session broke in the middle of the work."""

    code = "db_lost"
    remedy = "Look for a restart, failover or network fault at that time, then run again; nothing was published."


class DbLimits(BackupError):
    """The server ran out of connections, lock slots, memory or disk for our session."""

    code = "db_limits"
    remedy = (
        "Raise the named limit of the server (max_connections, max_locks_per_transaction, memory, storage) "
        "or run at a quieter time."
    )


# --- sources --------------------------------------------------------------------------------------------------------


class SourceMissing(BackupError):
    """A source directory is not there, or is not a directory."""

    code = "source_missing"
    doctrine = "F2"
    remedy = "Verify that the named source directories exist and that their configured paths are right."


class SourceUnreadable(BackupError):
    """A file or directory below a source could not be read."""

    code = "source_unreadable"
    remedy = (
        "Give the operator account read access, end the program that locks the file, "
        "or allow-list the path if it may be missing from the backup."
    )


class SourceChanged(BackupError):
    """A file kept changing while it was read."""

    code = "source_changed"
    remedy = "Run again at a quieter time, or allow-list the path if an inconsistent copy of it is acceptable."


# --- dump and artifact ----------------------------------------------------------------------------------------------


class DumpMissing(BackupError):
    """There is no database dump where one must be."""

    code = "dump_missing"
    doctrine = "F3"
    remedy = "Fix the database access (see db_* codes) and run again; an artifact without a dump never counts."


class DumpEmpty(BackupError):
    """The database dump has no bytes, or none of the tables it must have."""

    code = "dump_empty"
    doctrine = "F3"
    remedy = "Check that the database named in the inventory is the intended one and not empty, then run again."


class DumpDamaged(BackupError):
    """The dump does not decode in full, or does not hold what the source had."""

    code = "dump_damaged"
    remedy = "Run again. If it happens twice, check the disk, the memory and the client tools of the host."


class ArtifactIncomplete(BackupError):
    """Something that must be in the artifact is not."""

    code = "artifact_incomplete"
    remedy = "Run the backup again; use another set for a restore."


class ArtifactDamaged(BackupError):
    """The artifact's bytes are not what they must be."""

    code = "artifact_damaged"
    remedy = "Do not use this set. Verify the copy on the other layer and check this disk."


class ArtifactUnsafePath(BackupError):
    """The artifact has a member name that could be written outside its target, or not at all on Windows."""

    code = "artifact_unsafe_path"
    remedy = "Do not extract this archive. If it is ours, rename the offending source file and run again."


class ArtifactUnsupported(BackupError):
    """The file is not a ZIP that this verifier reads (encrypted, split, or with an unknown method)."""

    code = "artifact_unsupported"
    remedy = "Use an artifact made by wst.backup; archives made by other programs may not be verifiable."


class ContentAnomaly(BackupError):
    """The content is far from the last accepted set's, or lacks what is required."""

    code = "content_anomaly"
    effect = CARRY
    remedy = (
        "Find out why the sources or the database changed so much. The set is published and mirrored, does not count, "
        "and no older set was removed. If the change is right, run playbook accept.yml with the set and a reason."
    )


class ArtifactExists(BackupError):
    """The artifact's final name is taken."""

    code = "artifact_exists"
    remedy = "Nothing was overwritten. Find out who made the file of that name, move it away, and run again."


class NotProved(BackupError):
    """A step was asked to go on without the proof that it needs."""

    code = "not_proved"
    remedy = "Run the whole backup; the step before this one did not finish in this run."


# --- layers ---------------------------------------------------------------------------------------------------------


class MirrorMissing(BackupError):
    """The mirror's drive or directory is not there, or was never initialised."""

    code = "mirror_missing"
    remedy = "Attach the drive; for a new one run playbook mirror_init.yml. The set on C: is kept and mirrored later."


class MirrorWrongVolume(BackupError):
    """The mirror's path lies on a volume that must not be it."""

    code = "mirror_wrong_volume"
    remedy = (
        "Attach the right drive, or, if it was replaced on purpose, run playbook mirror_init.yml for the new one. "
        "Temporary, removable, compressed or C:'s own disks are never a mirror."
    )


class MirrorMismatch(BackupError):
    """What was read back from the mirror is not what was written."""

    code = "mirror_mismatch"
    remedy = "Check the mirror's disk and cable; nothing was published there. The set on C: is kept."


class NoSpace(BackupError):
    """A disk is full, or would be."""

    code = "no_space"
    remedy = "Free space on the named volume or move the layer to a larger one, then run again."


class RetentionRefused(BackupError):
    """Retention will not remove anything now."""

    code = "retention_refused"
    remedy = "Retention needs a verified and mirrored set of this run; mend what stopped that and run again."


# --- recovery -------------------------------------------------------------------------------------------------------


class RestoreTargetRefused(BackupError):
    """The target of a restore is not one that may be written: it exists, is not beside what it replaces, or is not
    what it was said to be."""

    code = "restore_target_refused"
    remedy = (
        "Nothing was written. Name a target that does not exist yet, on the volume of what it shall replace, or mend "
        "what the message names, then run again."
    )


class RestoreUnconfirmed(BackupError):
    """Production would be replaced, and its name was not typed twice."""

    code = "restore_unconfirmed"
    remedy = (
        "Nothing was written. Read the plan (--check), make sure that it is what you want, and give the named targets "
        "as restore_target and again as restore_confirm."
    )


class RestoreTargetBusy(BackupError):
    """Somebody uses what a restore would replace."""

    code = "restore_target_busy"
    remedy = (
        "The production tree or database is as it was. Stop the named programs or services, or list them so that the "
        "restore stops them itself, then run again."
    )


class RestoreUnfinished(BackupError):
    """A restore was interrupted: old and new trees, or new trees and an old database, may stand side by side."""

    code = "restore_unfinished"
    remedy = (
        "End it first: playbook restore_swap.yml finishes it or takes it back. Until then no other tree is swapped, "
        "and no backup is made of a mix."
    )


class SwapUnknown(BackupError):
    """No restore on this host swapped anything under that id."""

    code = "swap_unknown"
    remedy = "Name the swap by the id of the run that made it: the record restore of the host's audit log has it."


class ServiceFailed(BackupError):
    """A service or application pool did not stop or start."""

    code = "service_failed"
    remedy = (
        "Look into the host's event log for the named service, stop or start it by hand, then go on. What the message "
        "lists as stopped by us is to be started again."
    )


class EventLogFailed(BackupError):
    """The event log of Windows did not take an event."""

    code = "event_log_failed"
    remedy = "See that the service Windows Event Log runs and that the operator may write to the log Application."


class SwapUnfinished(BackupError):
    """The swap of a database was interrupted, and production may be closed."""

    code = "swap_unfinished"
    remedy = (
        "Production may be unreachable. Mend what the message names, then run playbook restore_swap.yml, which ends "
        "the swap: it renames nothing, and opens whichever database is production."
    )


class DrillMismatch(BackupError):
    """What was restored is not what the set promised."""

    code = "drill_mismatch"
    remedy = (
        "Do not rely on this set. Read the named differences, verify its copy on the other layer, drill an older set, "
        "and keep the evidence of this drill."
    )


class DrillControlFailed(BackupError):
    """A drill's negative control was not found: what judges the set would have passed a bad one."""

    code = "drill_control_failed"
    remedy = "Believe no drill of this version until this is understood. Keep the evidence and report it as a defect."


class RestoreFailed(BackupError):
    """The dump decodes, and the server would not take it."""

    code = "restore_failed"
    remedy = (
        "The set cannot be restored as it is. Read what the server said of which object; mend the source (or the "
        "target, where that lacks something), take a new backup and drill that."
    )


class DbExtensionMissing(BackupError):
    """The target server lacks an extension that the dump needs."""

    code = "db_extension_missing"
    remedy = (
        "Install the extension on the target server (on Azure: allow it in azure.extensions), or list it in "
        "allow_missing_extensions where nothing that you need depends on it."
    )


class SetMissing(BackupError):
    """No set on that layer counts."""

    code = "set_missing"
    remedy = "Run playbook list.yml to see which sets there are and why they do not count, then make or repair one."


class SetTooOld(BackupError):
    """The newest set is older than what may be lost."""

    code = "set_too_old"
    remedy = "Find out why no newer backup counts (playbook list.yml), make one, then drill that."


# --- offsite --------------------------------------------------------------------------------------------------------


class OffsiteSdkMissing(BackupError):
    """The packages that talk to Azure Blob are not in the host's Python."""

    code = "offsite_sdk_missing"
    remedy = (
        "Add azure-storage-blob and azure-identity with what they need to runtime_components and run playbook "
        "bootstrap.yml (docs/offsite.md has the list). The sets on C: and D: are untouched."
    )


class OffsiteKeyUnusable(BackupError):
    """The host has no SAS for the offsite container, or what is in its file is none."""

    code = "offsite_key_unusable"
    remedy = (
        "Make a SAS for the container with the permissions read, create, write and list, and nothing more, and put it "
        "on the host with playbook offsite_key.yml. Or use the host's managed identity: offsite_identity."
    )


class OffsiteUnauthorised(BackupError):
    """Azure does not let us in, or not do that."""

    code = "offsite_unauthorised"
    remedy = (
        "An expired SAS is replaced with playbook offsite_key.yml. Else give the identity the role Storage Blob Data "
        "Contributor on the container, or the SAS its permissions, and look at the account's firewall."
    )


class OffsiteContainerMissing(BackupError):
    """There is no such container, or no such account."""

    code = "offsite_container_missing"
    remedy = (
        "Check offsite_account_url and offsite_container. This program makes no container: a person makes it, with an "
        "immutability policy, as docs/offsite.md shows."
    )


class OffsiteBusy(BackupError):
    """Azure kept answering that it is busy or in trouble."""

    code = "offsite_busy"
    remedy = "Run offsite.yml again later: blocks that arrived are not sent twice. The sets on C: and D: are untouched."


class OffsiteUnreachable(BackupError):
    """The connection to Azure could not be made, or kept breaking."""

    code = "offsite_unreachable"
    remedy = (
        "Check name resolution, proxy and firewall from the host to the account's address on port 443, then run again: "
        "blocks that arrived are not sent twice."
    )


class OffsiteTlsFailed(BackupError):
    """Who answers could not prove to be Azure."""

    code = "offsite_tls_failed"
    remedy = (
        "Check the host's clock, and whether a proxy puts its own certificate in between. Its root goes into the file "
        "that the environment variable REQUESTS_CA_BUNDLE names. Nothing was sent."
    )


class OffsiteRejected(BackupError):
    """Azure refused a request for a reason that has no name here."""

    code = "offsite_rejected"
    remedy = "Look the named code of Azure up in its list of Blob Storage error codes; run again once it is removed."


class OffsiteBlobDiffers(BackupError):
    """What stands offsite under a set's name is not that set."""

    code = "offsite_blob_differs"
    remedy = (
        "Do not rely on that blob, and do not delete it yet: find out who wrote it (the account's storage logs). Where "
        "the container keeps versions, promote the right one; else a person moves the blob away. Then run offsite.yml."
    )


class OffsiteSetMissing(BackupError):
    """There is no complete set of that name offsite."""

    code = "offsite_set_missing"
    remedy = "Run playbook offsite_fetch.yml, which lists what is there; a set is complete once its sidecar is."


# --- host -----------------------------------------------------------------------------------------------------------


class Locked(BackupError):
    """Another run holds the host."""

    code = "locked"
    remedy = "Wait for the named run to end. A dead run's lease is taken over by itself after its stale time."


class HostPaused(BackupError):
    """Somebody has paused the host's backups."""

    code = "host_paused"
    remedy = "It ends by itself on that day. To make backups before, run playbook resume.yml."


class LeaseLost(BackupError):
    """This run no longer holds the host's lease."""

    code = "lease_lost"
    remedy = "Another run took the host over. Nothing was published or deleted after that; start a new run."


class Cancelled(BackupError):
    """The controller asked the job to stop."""

    code = "cancelled"
    remedy = "Start a new run; nothing unproved was published."


class KeyMissing(BackupError):
    """There is no key file."""

    code = "key_missing"
    remedy = "Write the database password to the key file on the host, as the operator's runbook shows."


class KeyMalformed(BackupError):
    """The key file holds something other than one password in printable ASCII."""

    code = "key_malformed"
    remedy = (
        "Write the file again with only the password on one line: no quotes, no spaces, no byte order mark, "
        "not UTF-16 (which Windows PowerShell's > writes). The runbook has the command."
    )


class KeyPermissions(BackupError):
    """Somebody other than the operator, SYSTEM and Administrators can read or write the key file, or we cannot."""

    code = "key_permissions"
    remedy = (
        "Restrict the file to the operator, SYSTEM and Administrators, without inheritance, and check its owner: "
        "the message has the commands for this host, where it could be asked."
    )


class PathPermissions(BackupError):
    """A directory of ours is open to others, or closed to us."""

    code = "path_permissions"
    remedy = "Run playbook bootstrap.yml, which protects the directories, or paste the commands that the message names."


class PathUnusable(BackupError):
    """A path has names that Windows or ZIP tools cannot handle, or a target cannot be written."""

    code = "path_unusable"
    remedy = (
        "Rename or exclude the named entries, or correct the target directory. "
        "An input/output error or a read-only file system is the disk's: look at that first."
    )


class ToolMissing(BackupError):
    """A program or library of the runtime is not there or does not start."""

    code = "tool_missing"
    remedy = "Run playbook bootstrap.yml, which installs the runtime, and check the tools directory in the inventory."


class ToolFailed(BackupError):
    """A program ended with an error that has no name of its own."""

    code = "tool_failed"
    remedy = "Read the program's own message in the facts; run again once its cause is removed."


class NotAuthorized(BackupError):
    """The level of authority that this needs was not proven."""

    code = "not_authorized"
    remedy = (
        "Give the token of the level that the message names, from its vault or AWX credential, as variable "
        "wst_backup_authority_token, or ask somebody who holds it. Wrong tokens make the next attempt wait, up to half "
        "a minute, and lock nobody out."
    )


class AuthorityMissing(BackupError):
    """The host was never told who may do what, and what is production."""

    code = "authority_missing"
    remedy = (
        "Provision the host once with playbook authority_provision.yml, which records the tokens of L5 and L6 and what "
        "is production; the runbook has the commands."
    )


class AuthorityDamaged(BackupError):
    """The host's authority record is not what was written."""

    code = "authority_damaged"
    remedy = (
        "Keep the named file as evidence: an administrator of the host moves it away and provisions anew with playbook "
        "authority_provision.yml. The audit log tells who changed what."
    )


class AuditBroken(BackupError):
    """The audit log's chain does not hold."""

    code = "audit_broken"
    effect = CARRY
    remedy = "Keep the named segment as evidence and find out who changed it. A new linked segment was begun."


class ClockSuspect(BackupError):
    """The host's clock is far from the control node's, or behind its own past."""

    code = "clock_suspect"
    remedy = "Correct the clock of the host or of the control node (time service), then run again."


class RecordDamaged(BackupError):
    """A state file or sidecar of ours is not what was written."""

    code = "record_damaged"
    remedy = "The set does not count on this layer. Keep the file as evidence and use the other layer's copy."


class InputInvalid(BackupError):
    """A parameter or a name makes no sense."""

    code = "input_invalid"
    remedy = "Correct the named value in the inventory or on the command line."


class InternalError(BackupError):
    """Something failed that has no name: a defect."""


def all_errors() -> List[Type[BackupError]]:
    """Every failure class, in the order of this file."""
    return [
        c for c in globals().values() if isinstance(c, type) and issubclass(c, BackupError) and c is not BackupError
    ]
