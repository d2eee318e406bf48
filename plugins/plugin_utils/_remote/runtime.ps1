# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Prepares a Windows host that may have nothing but PowerShell: protected directories, and programs from pinned archives.
# It is dot-sourced by the command that plugin_utils/_powershell.py builds, which sets $WstRequest before and then calls
# Receive-Line for every further line of standard input and Complete-Request after the last one.
#
# Language and .NET calls only: they are the same in Windows PowerShell 5.1 and PowerShell 7, whatever modules are there.
# Answers are lines "wst-backup:<name>:<base64 of UTF-8>", so no console encoding can change them.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
foreach ($WstAssembly in 'System.IO.Compression', 'System.IO.Compression.FileSystem') {
    [void][System.Reflection.Assembly]::LoadWithPartialName($WstAssembly)
}
$WstUpload = $null

function Write-Fact($Name, $Value) {
    $bytes = [System.Text.Encoding]::UTF8.GetBytes([string]$Value)
    [System.Console]::Out.WriteLine('wst-backup:' + $Name + ':' + [System.Convert]::ToBase64String($bytes))
}

function Stop-Request($Code, $Message) {
    Write-Fact 'code' $Code
    Write-Fact 'message' $Message
    exit 95
}

function Get-Reason($Record) {
    # The innermost exception says what the system said; the outer ones say that a method call failed.
    $inner = $Record.Exception
    while ($null -ne $inner.InnerException) { $inner = $inner.InnerException }
    return $inner.Message
}

function Get-HexDigest([byte[]] $Bytes) {
    return [System.BitConverter]::ToString($Bytes).Replace('-', '').ToLowerInvariant()
}

function New-Sha256 {
    # The managed class is refused where FIPS mode is on; this one uses the system's own provider.
    return [System.Security.Cryptography.SHA256CryptoServiceProvider]::new()
}

function Get-FileDigest($Path) {
    $file = [System.IO.File]::OpenRead($Path)
    $sha = New-Sha256
    try { return Get-HexDigest $sha.ComputeHash($file) } finally { $file.Dispose(); $sha.Dispose() }
}

# --- directories ---------------------------------------------------------------------------------------------------

function Get-OperatorSid {
    $name = $WstRequest.operator
    if (-not $name) { return [System.Security.Principal.WindowsIdentity]::GetCurrent().User.Value }
    if ($name -match '^S-1-[0-9-]+$') { return $name }
    try {
        $account = [System.Security.Principal.NTAccount]::new($name)
        return $account.Translate([System.Security.Principal.SecurityIdentifier]).Value
    }
    catch { Stop-Request 'operator_unknown' "The account '$name' has no SID on this host: $(Get-Reason $_)" }
}

function Get-DirectorySecurity($Path) {
    # The methods moved from Directory (.NET Framework) to extension methods (.NET).
    $extensions = 'System.IO.FileSystemAclExtensions' -as [type]
    if ($null -ne $extensions) { return $extensions::GetAccessControl([System.IO.DirectoryInfo]::new($Path)) }
    return [System.IO.Directory]::GetAccessControl($Path)
}

function Set-DirectorySecurity($Path, $Security) {
    $extensions = 'System.IO.FileSystemAclExtensions' -as [type]
    if ($null -ne $extensions) { $extensions::SetAccessControl([System.IO.DirectoryInfo]::new($Path), $Security) }
    else { [System.IO.Directory]::SetAccessControl($Path, $Security) }
}

function New-ProtectedDirectory($Path, $Security) {
    # Created with its DACL: there is no moment in which others may write into it.
    $extensions = 'System.IO.FileSystemAclExtensions' -as [type]
    if ($null -ne $extensions) { $extensions::Create([System.IO.DirectoryInfo]::new($Path), $Security) }
    else { [void][System.IO.Directory]::CreateDirectory($Path, $Security) }
}

function Get-AllowedSids { return @('S-1-5-18', 'S-1-5-32-544', (Get-OperatorSid)) }

function New-ProtectedSecurity {
    $sddl = 'D:PAI'
    foreach ($sid in Get-AllowedSids) { $sddl += "(A;OICI;FA;;;$sid)" }
    $security = [System.Security.AccessControl.DirectorySecurity]::new()
    $security.SetSecurityDescriptorSddlForm($sddl, [System.Security.AccessControl.AccessControlSections]::Access)
    return $security
}

function Test-Protected($Path) {
    # Closed to all others, and nothing inherited: a directory that inherits always has inherited rules from its drive.
    $allowed = Get-AllowedSids
    $operator = $false
    $security = Get-DirectorySecurity $Path
    foreach ($rule in $security.GetAccessRules($true, $true, [System.Security.Principal.SecurityIdentifier])) {
        if ($rule.IsInherited -or $allowed -notcontains $rule.IdentityReference.Value) { return $false }
        if ($rule.IdentityReference.Value -ne $allowed[2] -or [string]$rule.AccessControlType -ne 'Allow') { continue }
        $full = [System.Security.AccessControl.FileSystemRights]::FullControl
        if (($rule.FileSystemRights -band $full) -eq $full) { $operator = $true }
    }
    return $operator
}

function Get-DirectoryState($Path) {
    if ([System.IO.File]::Exists($Path)) { Stop-Request 'directory_unusable' "$Path is a file." }
    if (-not [System.IO.Directory]::Exists($Path)) { return 'absent' }
    if (Test-Protected $Path) { return 'protected' }
    $entries = [System.IO.Directory]::GetFileSystemEntries($Path).Length
    return "open $entries"
}

function Invoke-Protect {
    foreach ($path in $WstRequest.directories) {
        try {
            $state = Get-DirectoryState $path
            if ($state -eq 'absent') {
                [void][System.IO.Directory]::CreateDirectory([System.IO.Path]::GetDirectoryName($path))
                New-ProtectedDirectory $path (New-ProtectedSecurity)
            }
            elseif ($state -ne 'protected') { Set-DirectorySecurity $path (New-ProtectedSecurity) }
            if (-not (Test-Protected $path)) { Stop-Request 'directory_unusable' "The DACL of $path did not take." }
        }
        catch { Stop-Request 'directory_unusable' "The directory $path cannot be made or protected: $(Get-Reason $_)" }
    }
    foreach ($file in [System.IO.Directory]::GetFiles((Get-Runtime), '.incoming-*')) { [System.IO.File]::Delete($file) }
}

# --- what is there -------------------------------------------------------------------------------------------------

function Get-Runtime { return [System.IO.Path]::Combine($WstRequest.root, 'runtime') }

function Get-IncomingPath($Sha256) { return [System.IO.Path]::Combine((Get-Runtime), '.incoming-' + $Sha256) }

function Get-Marker($Name) { return [System.IO.Path]::Combine((Get-Runtime), $Name, '.wst-component') }

function Invoke-Status {
    Write-Fact 'powershell' $PSVersionTable.PSVersion
    Write-Fact 'windows' ([System.Environment]::OSVersion.Version)
    Write-Fact 'identity' ([System.Security.Principal.WindowsIdentity]::GetCurrent().Name)
    Write-Fact 'operator' (Get-OperatorSid)
    foreach ($path in $WstRequest.directories) { Write-Fact 'directory' ("{0}|{1}" -f (Get-DirectoryState $path), $path) }
    foreach ($component in $WstRequest.components) {
        $digest = ''
        $marker = Get-Marker $component.name
        $check = [System.IO.Path]::Combine((Get-Runtime), $component.name, $component.check)
        if ([System.IO.File]::Exists($marker) -and [System.IO.File]::Exists($check)) {
            $digest = [System.IO.File]::ReadAllText($marker).Trim()
        }
        Write-Fact 'component' ("{0}|{1}" -f $digest, $component.name)
    }
}

# --- getting archives ----------------------------------------------------------------------------------------------

function Save-Package($Path, $Source) {
    $actual = Get-FileDigest $Path
    if ($actual -ne $WstRequest.sha256) {
        [System.IO.File]::Delete($Path)
        Stop-Request 'package_mismatch' "$Source has SHA-256 $actual, and $($WstRequest.sha256) is pinned."
    }
    $final = Get-IncomingPath $WstRequest.sha256
    if ([System.IO.File]::Exists($final)) { [System.IO.File]::Delete($final) }
    [System.IO.File]::Move($Path, $final)
    Write-Fact 'size' ([System.IO.FileInfo]::new($final).Length)
}

function Invoke-Download {
    $part = (Get-IncomingPath $WstRequest.sha256) + '.part'
    # Windows PowerShell 5.1 still offers TLS 1.0 first; 3072 is TLS 1.2.
    $protocols = [System.Net.ServicePointManager]::SecurityProtocol -bor 3072
    [System.Net.ServicePointManager]::SecurityProtocol = $protocols
    $client = [System.Net.WebClient]::new()
    try { $client.DownloadFile($WstRequest.url, $part) }
    catch { Stop-Request 'download_failed' "$($WstRequest.url) could not be downloaded: $(Get-Reason $_)" }
    finally { $client.Dispose() }
    Save-Package $part $WstRequest.url
}

function Invoke-Copy {
    if (-not [System.IO.File]::Exists($WstRequest.path)) {
        Stop-Request 'package_missing' "There is no file $($WstRequest.path) on the host."
    }
    $part = (Get-IncomingPath $WstRequest.sha256) + '.part'
    [System.IO.File]::Copy($WstRequest.path, $part, $true)
    Save-Package $part $WstRequest.path
}

function Start-Upload {
    # A package comes in pieces, one request for each, so that a cut connection costs one piece.
    $path = (Get-IncomingPath $WstRequest.sha256) + '.part'
    $script:WstUpload = [System.IO.File]::Open($path, [System.IO.FileMode]::OpenOrCreate)
    if ($WstUpload.Length -lt $WstRequest.offset) {
        $length = $WstUpload.Length
        $WstUpload.Dispose()
        Stop-Request 'bootstrap_failed' "A piece of the upload is missing: $length of $($WstRequest.offset) bytes are there."
    }
    $WstUpload.SetLength($WstRequest.offset)
    [void]$WstUpload.Seek($WstRequest.offset, [System.IO.SeekOrigin]::Begin)
}

function Complete-Upload {
    if ($null -eq $WstUpload) { Start-Upload }
    $path = $WstUpload.Name
    $WstUpload.Dispose()
    if ($WstRequest.last) { Save-Package $path 'What arrived on the host' }
}

# --- installing ----------------------------------------------------------------------------------------------------

function Get-Relative($Entry, $Part) {
    # The entry's path below the part's subdir, or an empty string for what is not wanted.
    $name = $Entry.Replace('\', '/')
    $subdir = $Part.subdir
    if ($subdir) {
        if (-not $name.StartsWith($subdir + '/', [System.StringComparison]::Ordinal)) { return '' }
        $name = $name.Substring($subdir.Length + 1)
    }
    if (-not $name -or $name.EndsWith('/')) { return '' }
    if ($Part.only.Count -and $Part.only -notcontains $name.Split('/')[0]) { return '' }
    foreach ($piece in $name.Split('/')) {
        if ($piece -eq '..' -or $piece -eq '.' -or $piece -eq '' -or $piece.Contains(':')) {
            Stop-Request 'package_unusable' "The archive has an unsafe name: $Entry"
        }
    }
    return $name.Replace('/', '\')
}

function Expand-Part($Part, $Target) {
    $archive = Get-IncomingPath $Part.sha256
    if (-not [System.IO.File]::Exists($archive)) { Stop-Request 'package_missing' "The package $($Part.sha256) did not arrive." }
    if ((Get-FileDigest $archive) -ne $Part.sha256) { Stop-Request 'package_mismatch' "The package $archive changed on the host." }
    if ($Part.file) {
        [void][System.IO.Directory]::CreateDirectory($Target)
        [System.IO.File]::Copy($archive, [System.IO.Path]::Combine($Target, $Part.file), $true)
        return 1
    }
    try { $zip = [System.IO.Compression.ZipFile]::OpenRead($archive) }
    catch { Stop-Request 'package_unusable' "The package $($Part.source) is not a ZIP: $(Get-Reason $_)" }
    $count = 0
    try {
        foreach ($entry in $zip.Entries) {
            $relative = Get-Relative $entry.FullName $Part
            if (-not $relative) { continue }
            $path = [System.IO.Path]::Combine($Target, $relative)
            [void][System.IO.Directory]::CreateDirectory([System.IO.Path]::GetDirectoryName($path))
            [System.IO.Compression.ZipFileExtensions]::ExtractToFile($entry, $path, $true)
            $count++
        }
    }
    finally { $zip.Dispose() }
    if ($count -eq 0) { Stop-Request 'package_unusable' "The package $($Part.source) has nothing below '$($Part.subdir)'." }
    return $count
}

function Copy-Part($Part, $Target) {
    # Libraries that another component brought, such as the VC runtime beside python.exe.
    [void][System.IO.Directory]::CreateDirectory($Target)
    foreach ($name in $Part.names) {
        $source = [System.IO.Path]::Combine((Get-Runtime), $Part.component, $name)
        if (-not [System.IO.File]::Exists($source)) { Stop-Request 'package_missing' "There is no file $source to copy." }
        [System.IO.File]::Copy($source, [System.IO.Path]::Combine($Target, [System.IO.Path]::GetFileName($name)), $true)
    }
    return $Part.names.Count
}

function Enable-SitePackages($Directory) {
    # The embeddable Python looks only where its ._pth file says.
    foreach ($file in [System.IO.Directory]::GetFiles($Directory, 'python*._pth')) {
        $text = [System.IO.File]::ReadAllText($file)
        if (-not $text.Contains('Lib\site-packages')) {
            [System.IO.File]::WriteAllText($file, $text.TrimEnd() + "`r`nLib\site-packages`r`n")
        }
    }
}

function Remove-Leftover {
    foreach ($path in [System.IO.Directory]::GetDirectories((Get-Runtime), '.*-' + $WstRequest.name)) {
        try { [System.IO.Directory]::Delete($path, $true) } catch { Write-Fact 'warning' "$path is still in use: $(Get-Reason $_)" }
    }
}

function Move-IntoPlace($New) {
    $final = [System.IO.Path]::Combine((Get-Runtime), $WstRequest.name)
    $old = [System.IO.Path]::Combine((Get-Runtime), '.old-' + $WstRequest.nonce + '-' + $WstRequest.name)
    $replaces = [System.IO.Directory]::Exists($final)
    try { if ($replaces) { [System.IO.Directory]::Move($final, $old) } }
    catch { Stop-Request 'runtime_busy' "$final is in use and cannot be replaced: $(Get-Reason $_)" }
    try { [System.IO.Directory]::Move($New, $final) }
    catch {
        $reason = Get-Reason $_
        if ($replaces) { [System.IO.Directory]::Move($old, $final) }
        Stop-Request 'runtime_busy' "$New cannot be put in place: $reason"
    }
}

function Invoke-Install {
    Remove-Leftover
    $new = [System.IO.Path]::Combine((Get-Runtime), '.new-' + $WstRequest.nonce + '-' + $WstRequest.name)
    [void][System.IO.Directory]::CreateDirectory($new)
    $files = 0
    foreach ($part in $WstRequest.parts) {
        $target = $new
        if ($part.into) { $target = [System.IO.Path]::Combine($new, $part.into) }
        if ($part.component) { $files += Copy-Part $part $target } else { $files += Expand-Part $part $target }
    }
    if (-not [System.IO.File]::Exists([System.IO.Path]::Combine($new, $WstRequest.check))) {
        Stop-Request 'package_unusable' "The packages of $($WstRequest.name) hold no $($WstRequest.check)."
    }
    Enable-SitePackages $new
    [System.IO.File]::WriteAllText([System.IO.Path]::Combine($new, '.wst-component'), $WstRequest.digest)
    Move-IntoPlace $new
    Remove-Leftover
    foreach ($part in $WstRequest.parts) {
        if (-not $part.component) { [System.IO.File]::Delete((Get-IncomingPath $part.sha256)) }
    }
    Write-Fact 'files' $files
}

# --- the request ---------------------------------------------------------------------------------------------------

function Receive-Line($Line) {
    if ($WstRequest.do -ne 'upload') { return }
    try {
        if ($null -eq $WstUpload) { Start-Upload }
        $bytes = [System.Convert]::FromBase64String($Line)
        $WstUpload.Write($bytes, 0, $bytes.Length)
    }
    catch {
        if ($null -ne $WstUpload) { $WstUpload.Dispose() }
        Stop-Request 'bootstrap_failed' "The upload stopped: $(Get-Reason $_)"
    }
}

function Complete-Request {
    try {
        switch ($WstRequest.do) {
            'status' { Invoke-Status }
            'protect' { Invoke-Protect }
            'download' { Invoke-Download }
            'copy' { Invoke-Copy }
            'upload' { Complete-Upload }
            'install' { Invoke-Install }
        }
    }
    catch { Stop-Request 'bootstrap_failed' "$($WstRequest.do) failed: $(Get-Reason $_)" }
    Write-Fact 'done' $WstRequest.do
}
