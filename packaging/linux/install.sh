#!/bin/sh
# Kiwoom Token Tray for the user who runs this, without root:
#
#   ./install.sh             install, or update over a running program
#   ./install.sh --remove    remove the programs; settings, tokens and keys stay
#   ./install.sh --purge     remove the programs, settings, the tokens of every profile, history and log; keys stay in
#                            the keyring
#
# PREFIX (~/.local) may name another place.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
name=kiwoom-token-tray
prefix=${PREFIX:-$HOME/.local}
place=$prefix/lib/$name
applications=$prefix/share/applications
icons=$prefix/share/icons/hicolor
metainfo=$prefix/share/metainfo
units=${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user
autostart=${XDG_CONFIG_HOME:-$HOME/.config}/autostart/$name.desktop

is_running() {
  for one in /proc/[0-9]*/exe; do
    [ "$(readlink "$one" 2>/dev/null)" = "$place/$name" ] && return 0
  done
  return 1
}

quit_running() {
  if [ -x "$place/$name" ] && is_running; then
    "$place/$name" --quit 2>/dev/null || true
    "$place/$name" --sandbox --quit >/dev/null 2>&1 || true
  fi
}

watches() {
  # the processes that run `kiwoom-token watch` of this copy
  for one in /proc/[0-9]*; do
    [ "$(readlink "$one/exe" 2>/dev/null)" = "$place/kiwoom-token" ] || continue
    tr '\0' ' ' <"$one/cmdline" 2>/dev/null | grep -q ' watch ' && echo "${one#/proc/}"
  done
  return 0
}

restart_unit() {
  if command -v systemctl >/dev/null 2>&1; then
    systemctl --user daemon-reload >/dev/null 2>&1 || true
    systemctl --user try-restart kiwoom-token-watch >/dev/null 2>&1 || true
  fi
}

stop() {
  if command -v systemctl >/dev/null 2>&1; then
    systemctl --user disable --now kiwoom-token-watch >/dev/null 2>&1 || true
  fi
  quit_running
}

remove() {
  rm -rf "$place" "$place.new" "$place.old"
  for one in "$name" kiwoom-token; do
    # only the links that this script has made
    [ "$(readlink "$prefix/bin/$one" 2>/dev/null)" = "$place/$one" ] && rm -f "$prefix/bin/$one"
  done
  rm -f "$applications/$name.desktop" "$metainfo/$name.metainfo.xml" "$units/kiwoom-token-watch.service" \
    "$icons/scalable/apps/$name.svg" "$icons/256x256/apps/$name.png"
}

remove_autostart() {
  # only an entry that starts this copy
  if grep -qF "$place/" "$autostart" 2>/dev/null || grep -qF "$prefix/bin/$name" "$autostart" 2>/dev/null; then
    rm -f "$autostart"
  fi
}

refresh_desktop() {
  if command -v update-desktop-database >/dev/null 2>&1; then
    update-desktop-database -q "$applications" 2>/dev/null || true
  fi
  touch -c "$icons" 2>/dev/null || true
}

case ${1:-} in
--remove | --purge)
  stop
  if [ "$1" = --purge ]; then
    # asked of the program while it is there, and while the settings still name the places
    if [ -x "$place/kiwoom-token" ] && ! "$place/kiwoom-token" clear --all >/dev/null; then
      echo "Some token could not be removed, so the programs and settings stay. Correct that and try again," >&2
      echo "or remove the programs alone: ./install.sh --remove" >&2
      exit 1
    fi
    data=$("$place/kiwoom-token" config get data_dir 2>/dev/null) || data=
    settings=$("$place/kiwoom-token" config path 2>/dev/null) || settings=
  fi
  remove
  remove_autostart
  if [ "$1" = --purge ]; then
    rm -rf "${XDG_STATE_HOME:-$HOME/.local/state}/$name" "${XDG_DATA_HOME:-$HOME/.local/share}/$name"
    [ -n "$data" ] && rm -f "$data/history.db" "$data/history.db-wal" "$data/history.db-shm"
    [ -n "$settings" ] && rm -f "$settings" "$settings.lock"
  fi
  refresh_desktop
  exit 0
  ;;
'') ;;
*)
  sed -n '2,9s/^# \{0,1\}//p' "$0"
  exit 2
  ;;
esac

mkdir -p "$prefix/lib" "$prefix/bin" "$applications" "$metainfo" "$units" "$icons/scalable/apps" "$icons/256x256/apps"
rm -rf "$place.new" "$place.old"
cp -R "$here" "$place.new" # beside the old one: an interrupted copy leaves that as it is
was_running=
watching=$(watches)
if [ -x "$place/$name" ]; then
  if is_running; then
    was_running=1
    quit_running
    if is_running; then
      rm -rf "$place.new"
      echo "Kiwoom Token Tray is running and does not quit. Quit it from its menu and try again." >&2
      exit 1
    fi
  fi
  mv "$place" "$place.old"
fi
mv "$place.new" "$place"
rm -rf "$place.old"
ln -sf "$place/$name" "$prefix/bin/$name"
ln -sf "$place/kiwoom-token" "$prefix/bin/kiwoom-token"
sed "s|^Exec=.*|Exec=\"$place/$name\"|" "$here/share/applications/$name.desktop" >"$applications/$name.desktop"
sed "s|%h/.local/bin/kiwoom-token|\"$prefix/bin/kiwoom-token\"|" "$here/share/systemd/user/kiwoom-token-watch.service" \
  >"$units/kiwoom-token-watch.service"
cp "$here/share/metainfo/$name.metainfo.xml" "$metainfo/"
cp "$here/share/icons/hicolor/scalable/apps/$name.svg" "$icons/scalable/apps/"
cp "$here/share/icons/hicolor/256x256/apps/$name.png" "$icons/256x256/apps/"
refresh_desktop
restart_unit
for one in $watching; do
  if [ -d "/proc/$one" ]; then # no unit of systemd: nobody but its user can start it again
    echo "kiwoom-token watch (process $one) still runs the old version. End it and start it again." >&2
  fi
done
if [ -n "$was_running" ]; then
  "$place/$name" --background >/dev/null 2>&1 &
fi
case ":$PATH:" in
*":$prefix/bin:"*) ;;
*) echo "Add $prefix/bin to PATH, or call $prefix/bin/kiwoom-token by its path." ;;
esac
