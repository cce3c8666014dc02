#!/usr/bin/env bash
# Make a disk image of the application: make_dmg.sh "Kiwoom Token Tray.app" IMAGE.dmg
#
# Signed and notarised only where the secrets are:
#   MACOS_SIGNING_IDENTITY                            a Developer ID in the keychain
#   MACOS_NOTARY_PROFILE                              of `xcrun notarytool store-credentials`
# Without them the application gets an ad-hoc signature, which Apple silicon asks for, and the system warns at the first
# start.
set -euo pipefail
app=$1
image=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

if [[ -n ${MACOS_SIGNING_IDENTITY:-} ]]; then
  codesign --force --deep --timestamp --options runtime --entitlements "$here/entitlements.plist" \
    --sign "$MACOS_SIGNING_IDENTITY" "$app"
else
  codesign --force --deep --sign - "$app"
fi
codesign --verify --deep --strict "$app"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp -R "$app" "$folder/"
ln -s /Applications "$folder/Applications"
rm -f "$image"
hdiutil create -quiet -volname "Kiwoom Token Tray" -srcfolder "$folder" -format ULFO -ov "$image"

if [[ -n ${MACOS_SIGNING_IDENTITY:-} ]]; then
  codesign --timestamp --sign "$MACOS_SIGNING_IDENTITY" "$image"
  if [[ -n ${MACOS_NOTARY_PROFILE:-} ]]; then
    xcrun notarytool submit "$image" --keychain-profile "$MACOS_NOTARY_PROFILE" \
      ${MACOS_NOTARY_KEYCHAIN:+--keychain "$MACOS_NOTARY_KEYCHAIN"} --wait
    xcrun stapler staple "$image"
  fi
fi
