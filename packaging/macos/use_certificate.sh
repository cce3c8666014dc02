#!/usr/bin/env bash
# Put the Developer ID of the secrets into a keychain of this build, and name it to the following steps.
# Without the secrets nothing happens, and the application gets an ad-hoc signature.
set -euo pipefail
if [[ -z ${CERTIFICATE:-} ]]; then
  echo "No certificate: the application is not signed by a developer."
  exit 0
fi
folder=$(mktemp -d)
keychain=$folder/build.keychain-db
password=$(uuidgen)
printf '%s' "$CERTIFICATE" | base64 --decode >"$folder/certificate.p12"
security create-keychain -p "$password" "$keychain"
security set-keychain-settings -lut 3600 "$keychain"
security unlock-keychain -p "$password" "$keychain"
security import "$folder/certificate.p12" -k "$keychain" -P "${CERTIFICATE_PASSWORD:-}" -T /usr/bin/codesign
security set-key-partition-list -S apple-tool:,apple: -k "$password" "$keychain" >/dev/null
security list-keychains -d user -s "$keychain" login.keychain-db
rm "$folder/certificate.p12"
identity=$(security find-identity -v -p codesigning "$keychain" | sed -n 's/.*"\(Developer ID Application: .*\)"/\1/p' | head -n 1)
echo "MACOS_SIGNING_IDENTITY=$identity" >>"$GITHUB_ENV"
if [[ -n ${NOTARY_APPLE_ID:-} ]]; then
  xcrun notarytool store-credentials build --apple-id "$NOTARY_APPLE_ID" --password "$NOTARY_PASSWORD" \
    --team-id "$NOTARY_TEAM" --keychain "$keychain" >/dev/null
  {
    echo "MACOS_NOTARY_PROFILE=build"
    echo "MACOS_NOTARY_KEYCHAIN=$keychain"
  } >>"$GITHUB_ENV"
fi
