# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way in which the way to the host can fail, by name.

The counterpart of ``module_utils/_errors.py`` on the control node, in the same form: ``code`` is stable, ``remedy``
says what to do, the message states the facts. The base action turns these into a failed result; ``docs/errors.md`` is
generated from both files.
"""

from __future__ import annotations

from typing import Any, ClassVar


class TransportError(Exception):
    """Base of all failures between the control node and a module.

    :param message: what happened, with the facts; no secrets.
    :param facts: the same facts as JSON-able data; no secrets.
    """

    code: ClassVar[str] = "internal_error"
    remedy: ClassVar[str] = "This is a defect of wst.backup. Run again with -vvv and report the output."
    effect: ClassVar[str] = "stop"  # or "warn": what was done stands as it is

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts: dict[str, Any] = facts

    def as_result(self) -> dict[str, Any]:
        """The failure as an Ansible result."""
        return {
            "failed": True,
            "changed": False,
            "msg": f"{self.code}: {self.message} {self.remedy}",
            "code": self.code,
            "remedy": self.remedy,
            "facts": self.facts,
            "effect": self.effect,
        }


# --- refused before anything is sent ------------------------------------------------------------------------------


class BecomeRefused(TransportError):
    """The task asks for privilege escalation that cannot work here."""

    code = "become_refused"
    remedy = (
        "Remove become from the task, play or configuration. On Windows connect as the operator account; "
        "on POSIX use a method that needs no terminal, such as sudo."
    )


class AsyncRefused(TransportError):
    """The task has ``async``."""

    code = "async_refused"
    remedy = (
        "Remove async and poll from the task: long steps run detached on the host by themselves. "
        "Use timeout for a limit."
    )


class ConnectionUnproven(TransportError):
    """A connection plugin that wst.backup is not tested with."""

    code = "connection_unproven"
    remedy = (
        "Set ansible_connection to winrm. To use another connection at your own risk, "
        "set wst_backup_accept_unproven_connection to true."
    )


class ConnectionPlain(TransportError):
    """WinRM that sends passwords or payloads readable for everybody on the way."""

    code = "connection_plain"
    remedy = (
        "Use HTTPS (ansible_port 5986, ansible_winrm_scheme https), or over HTTP an authentication that encrypts "
        "messages (ansible_winrm_transport ntlm, kerberos or credssp, ansible_winrm_message_encryption auto or always)."
    )


class SettingInvalid(TransportError):
    """A variable of the transport has a value that makes no sense."""

    code = "setting_invalid"
    remedy = "Correct the variable in the inventory."


class Unreachable(TransportError):
    """The host has not answered even once. Ansible calls it unreachable: exit code 4."""

    code = "unreachable"
    remedy = (
        "Check the host's name, its port and the firewalls on the way, that its WinRM or SSH service runs, "
        "and user name and password; then run again. Nothing was done on the host."
    )


# --- the host's Python ----------------------------------------------------------------------------------------------


class PythonMissing(TransportError):
    """The host's Python is not there or cannot be started."""

    code = "python_missing"
    remedy = (
        "Install it with playbook bootstrap.yml, or correct wst_backup_python (on POSIX ansible_python_interpreter). "
        "If the file is there, see whether antivirus or application control blocks it, "
        "and whether it is a program for this system."
    )


class PythonWrong(TransportError):
    """The program at the configured path is no Python, or one that is too old."""

    code = "python_wrong"
    remedy = (
        "Point wst_backup_python (on POSIX ansible_python_interpreter) at CPython 3.9 or newer; "
        "playbook bootstrap.yml installs one."
    )


class LanguageMode(TransportError):
    """PowerShell on the host runs in a language mode that refuses our command."""

    code = "language_mode"
    remedy = (
        "Allow the operator account full language mode, or native commands, in the host's application control policy."
    )


# --- the exchange ----------------------------------------------------------------------------------------------------


class PayloadDamaged(TransportError):
    """The host did not receive what was sent."""

    code = "payload_damaged"
    remedy = (
        "Run again. If it happens twice, raise MaxEnvelopeSizekb of WinRM to 500 "
        "and look for a proxy that alters requests."
    )


class ReplyDamaged(TransportError):
    """The host's answer did not arrive whole."""

    code = "reply_damaged"
    remedy = "Run again. If it happens twice, look for what cuts the connection between the control node and the host."


class ModuleKilled(TransportError):
    """A module's process ended without a result."""

    code = "module_killed"
    remedy = (
        "Somebody or something ended the process: a reboot, memory pressure, an administrator, antivirus. "
        "Check the host's event log at that time and run again; nothing unproved was published."
    )


class ModuleCancelled(TransportError):
    """The step was asked to stop before it began."""

    code = "cancelled"
    remedy = "Run again when the step is wanted."


class ConnectionLost(TransportError):
    """The connection broke after the first contact and did not come back in time."""

    code = "connection_lost"
    remedy = (
        "Check the network, the host and its WinRM or SSH service. A step that was running on the host finishes there "
        "and publishes nothing unproved; run the backup again. wst_backup_reconnect_timeout sets how long to wait."
    )


# --- jobs -----------------------------------------------------------------------------------------------------------


class JobStartFailed(TransportError):
    """The host could not start a process of its own for the step."""

    code = "job_start_failed"
    remedy = (
        "See the named cause. The operator account must be able to write below the host root and to start processes."
    )


class NoSpace(TransportError):
    """The host's disk is too full to start a step."""

    code = "no_space"
    remedy = "Free space on the drive of the host root, then run again."


class ResultUnreadable(TransportError):
    """The files that say how a step did are there and cannot be read."""

    code = "result_unreadable"
    remedy = (
        "See which program holds the named file (antivirus, as a rule: exclude the directory runs below the host root) "
        "or who took the operator's access to it. The step itself has ended or finishes there and publishes nothing "
        "unproved; run the backup again."
    )


class RootMissing(TransportError):
    """The directory that holds the host's state does not exist."""

    code = "root_missing"
    remedy = "Run playbook bootstrap.yml for this host, or correct wst_backup_root."


# --- bootstrap: a host without Python -------------------------------------------------------------------------------


class BootstrapFailed(TransportError):
    """A step of the bootstrap ended in a way that has no name of its own."""

    code = "bootstrap_failed"
    remedy = "Read the host's own words in the message; bootstrap.yml can be run again at any time."


class OperatorUnknown(TransportError):
    """The operator account does not exist on the host."""

    code = "operator_unknown"
    remedy = "Correct runtime_operator: DOMAIN\\name, HOST\\name or a SID. Empty means the account that connects."


class DirectoryUnusable(TransportError):
    """A directory cannot be made or protected."""

    code = "directory_unusable"
    remedy = "Check that the drive is there, that nothing else has the name, and that the operator may create it."


class PackageMismatch(TransportError):
    """A package is not the one that was pinned."""

    code = "package_mismatch"
    remedy = "Nothing was installed. Find out why the file differs before you pin another SHA-256."


class PackageMissing(TransportError):
    """A package, or a file that is taken from another component, is not there."""

    code = "package_missing"
    remedy = "Correct the path in runtime_components, or the order of the components."


class PackageUnusable(TransportError):
    """A package does not hold what it must."""

    code = "package_unusable"
    remedy = "Nothing was installed. Correct subdir, only or check in runtime_components, or take another package."


class DownloadFailed(TransportError):
    """The host could not download a package."""

    code = "download_failed"
    remedy = "Check the URL and the host's way to it, or give the package as a path on the control node."


class EvidenceLost(TransportError):
    """The control node cannot keep the evidence of a drill, or the fleet's verdict."""

    code = "evidence_lost"
    remedy = (
        "Mend wst_backup_control_dir on the control node and run the playbook again: without evidence it shows nobody "
        "anything."
    )


class RuntimeBusy(TransportError):
    """A program of the runtime is running and cannot be replaced."""

    code = "runtime_busy"
    remedy = "Wait for the run that uses it to end, or end it, and run bootstrap.yml again. The old version stays."


# --- the report of a fleet ----------------------------------------------------------------------------------------


class ReportInvalid(TransportError):
    """The document that a report is to be made of is not what its schema says."""

    code = "report_invalid"
    remedy = "Make the document anew with compliance.yml of this version. A document by hand: see docs/report.md."


# --- Azure: its own backups (layer 1), and the password that it sets ----------------------------------------------


class AzureSdkMissing(TransportError):
    """The control node's Python lacks Azure's packages."""

    code = "azure_sdk_missing"
    remedy = (
        "Install them into the Python that runs Ansible: pip install azure-identity "
        "'azure-mgmt-postgresqlflexibleservers>=3'. In AWX they belong into the execution environment."
    )


class AzureNotAuthorized(TransportError):
    """Azure does not know who asks, or does not let them do it."""

    code = "azure_not_authorized"
    remedy = (
        "Give the control node an identity (AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET, a managed "
        "identity, a workload identity, or az login), and that identity what it needs on the server: the role Reader "
        "to ask, the action Microsoft.DBforPostgreSQL/flexibleServers/write to set a password."
    )


class AzureAbsent(TransportError):
    """Azure has no such server in that resource group and subscription."""

    code = "azure_absent"
    remedy = (
        "Correct subscription, resource group and name. Is the server gone, restore it from its last backup at once."
    )


class AzureThrottled(TransportError):
    """Azure asks to come back later than the time that was given."""

    code = "azure_throttled"
    remedy = "Ask again after the time that the message tells, or give more time with timeout."


class AzureTrouble(TransportError):
    """Azure answers that it has trouble, or something that is no answer."""

    code = "azure_trouble"
    remedy = "Run again later, and look at Azure's status page. What was asked is not known until then."


class AzureTimeout(TransportError):
    """Azure did not answer in time."""

    code = "azure_timeout"
    remedy = "Check the control node's way to Azure (proxy, DNS, firewall), or give more time with timeout."


class AzureUnreachable(TransportError):
    """There is no connection to Azure, or it was cut."""

    code = "azure_unreachable"
    remedy = "Check the control node's way to Azure (proxy, DNS, firewall), and the option endpoint; then ask again."


class AzureTls(TransportError):
    """Who answers cannot prove to be Azure."""

    code = "azure_tls"
    remedy = (
        "Find out who stands between the control node and Azure. Behind a proxy of your own that opens TLS, name its "
        "authority in REQUESTS_CA_BUNDLE; never switch the verification off."
    )


class AzureBusy(TransportError):
    """The server is not ready in Azure: it has another change under way, or does not run."""

    code = "azure_busy"
    remedy = "Wait until the portal shows the server as Ready, then run again."


class AzurePasswordRefused(TransportError):
    """Azure cannot set the password of that login. Nothing was touched."""

    code = "azure_password_refused"
    remedy = (
        "Azure sets the password of its server's administrator and of no other login. For another one let the role "
        "change its own (key_rotation_change_through=role), or have the administrator set it and run again without "
        "key_rotation_change_server."
    )


class AzureChangeFailed(TransportError):
    """Azure took the new password and ended without setting it."""

    code = "azure_change_failed"
    remedy = "Correct what Azure's words name (it has rules for passwords of its own), then run again."


class AzurePasswordUnsettled(TransportError):
    """Azure was told to set a password, and it is not known whether it did or will."""

    code = "azure_password_unsettled"
    remedy = (
        "Wait until the portal shows the server as Ready, then run the same playbook again with the same password: it "
        "tries the staged one and the current one, and ends with the one that works."
    )


# --- schedules ------------------------------------------------------------------------------------------------------


class ScheduleInvalid(TransportError):
    """What a schedule is to be made of makes no sense."""

    code = "schedule_invalid"
    remedy = "Correct what the message names in the variables of the role. Nothing was changed."


class ScheduleImpossible(TransportError):
    """At no time of the day can a job start outside of 01:00 to 03:00 local time."""

    code = "schedule_impossible"
    remedy = (
        "Put hosts of zones that lie far apart into fleets of their own, or have the job run less often (daily instead "
        "of every 4 hours), or make the random delay shorter. Nothing was changed."
    )


class ScheduleOccupied(TransportError):
    """A file that the role did not make has the name of one that it would make."""

    code = "schedule_occupied"
    remedy = "Move the named file away, or choose another schedule_name. Nothing was changed."


class ScheduleClock(TransportError):
    """The control node's cron cannot be told to start jobs by UTC."""

    code = "schedule_clock"
    remedy = "Use schedule_kind systemd, which knows UTC, or set the control node's zone to UTC. Nothing was changed."


class ScheduleNoSystemd(TransportError):
    """No systemd runs on the control node, so timers would never start anything."""

    code = "schedule_no_systemd"
    remedy = (
        "Use schedule_kind cron, or AWX. Where the files are for an image that systemd will start, set schedule_enable "
        "to false. Nothing was changed."
    )


# --- AWX ------------------------------------------------------------------------------------------------------------


class AwxDenied(TransportError):
    """AWX does not let the owner of the token do what the playbook needs."""

    code = "awx_denied"
    remedy = (
        "Use a token of scope write that belongs to an administrator of the organization; credential types, and an "
        "organization that does not exist yet, need a system administrator. Then run again: what was made stays."
    )


class AwxLogin(TransportError):
    """AWX does not know the token."""

    code = "awx_login"
    remedy = "Put a valid token into CONTROLLER_OAUTH_TOKEN, and AWX's address into CONTROLLER_HOST."


class AwxUnreachable(TransportError):
    """There is no connection to AWX."""

    code = "awx_unreachable"
    remedy = "Check CONTROLLER_HOST, the way to it and its certificate (CONTROLLER_VERIFY_SSL), then run again."


class AwxFailed(TransportError):
    """AWX refused something, in its own words."""

    code = "awx_failed"
    remedy = "Correct what AWX's words name, then run again: what was made stays."


class AwxAccessOpen(TransportError):
    """Somebody else than the team of L6 may launch or change a template of breakglass."""

    code = "awx_access_open"
    remedy = (
        "Take the named roles away in AWX (Access), or name users who administer AWX in awx_admins, then run again."
    )


# --- notifications --------------------------------------------------------------------------------------------------


class NotifyInvalid(TransportError):
    """The variables of a notification make no sense, so it was not sent."""

    code = "notify_invalid"
    effect = "warn"
    remedy = "Correct the variable in the inventory or the vault (docs/notifications.md). The run itself is as it says."


class NotifyUnreachable(TransportError):
    """Whoever was to be told could not be reached, or broke off."""

    code = "notify_unreachable"
    effect = "warn"
    remedy = "Check the way from the control node to it (name, port, proxy, firewall). The run itself is as it says."


class NotifyUntrusted(TransportError):
    """The certificate of whoever was to be told is not to be trusted, so nothing was said."""

    code = "notify_untrusted"
    effect = "warn"
    remedy = (
        "Have the server's certificate renewed, or name its authority in wst_backup_notify.ca_file. "
        "The run itself is as it says."
    )


class NotifyRefused(TransportError):
    """Whoever was to be told did not take it."""

    code = "notify_refused"
    effect = "warn"
    remedy = "See that the address, the login and the recipients are still good. The run itself is as it says."
