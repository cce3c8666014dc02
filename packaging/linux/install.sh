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

trays() {
  # the processes of this copy's tray; not those that it starts itself for a moment
  for one in /proc/[0-9]*; do
    [ "$(readlink "$one/exe" 2>/dev/null)" = "$place/$name" ] || continue
    case $(tr '\0' ' ' <"$one/cmdline" 2>/dev/null) in
    *" --self-test"* | *" --update-holidays"* | *" --quit"*) ;;
    *) echo "${one#/proc/}" ;;
    esac
  done
  return 0
}

remember() {
  # write for each tray that runs a script that runs its command again, in its environment and with more arguments: this
  # one may have been started without the desktop, as over ssh, or with other settings. A script, because there may be
  # keys in the environment, and everybody can read the arguments of a program. Bytes that are no text in the language
  # of this shell are values like any others, so the tools take each byte as it is
  quoted="s/'/'\\\\''/g"
  for one in $(trays); do
    {
      # without what the boot loader of a packaged program adds, and what a shell does not let one set
      LC_ALL=C sed -z -e '/^[A-Za-z_][A-Za-z_0-9]*=/!d' -e '/^_PYI_/d' -e '/^LD_LIBRARY_PATH=/d' \
        -e 's/^LD_LIBRARY_PATH_ORIG=/LD_LIBRARY_PATH=/' \
        -e '/^\(BASH[A-Z]*OPTS\|BASH_VERSINFO\|SHELLOPTS\|E*UID\|PPID\|OPTIND\)=/d' \
        -e "$quoted" -e "s/=\(.*\)/='\1'/" -e 's/^/export /' "/proc/$one/environ" | LC_ALL=C tr '\0' '\n'
      printf "exec '%s'" "$(printf %s "$place/$name" | LC_ALL=C sed "$quoted")"
      LC_ALL=C sed -z -e 1d -e '/^--show$/d' -e '/^-Embedding$/d' -e '/^--background$/d' -e "$quoted" -e "s/.*/ '&'/" \
        "/proc/$one/cmdline" | LC_ALL=C tr -d '\0'
      printf ' "$@" </dev/null\n'
    } >"$remembered/$one" 2>/dev/null || rm -f "$remembered/$one" # it has ended meanwhile
  done
}

quit_trays() {
  for file in "$remembered"/*; do
    [ -e "$file" ] || continue
    env -i /bin/sh "$file" --quit 2>/dev/null || true
    if [ -e "/proc/${file##*/}/exe" ]; then # practice may have been chosen at the first start, without the option
      env -i /bin/sh "$file" --sandbox --quit >/dev/null 2>&1 || true
    fi
  done
}

start_trays() {
  for file in "$remembered"/*; do
    if [ ! -e "$file" ] || [ -e "/proc/${file##*/}/exe" ]; then continue; fi
    exec 3<"$file" # which is gone before the background comes to read it
    env -i /bin/sh -s -- --background <&3 3<&- >/dev/null 2>&1 &
    exec 3<&-
  done
}

watches() {
  # the processes that run `kiwoom-token watch` of this copy
  for one in /proc/[0-9]*; do
    [ "$(readlink "$one/exe" 2>/dev/null)" = "$place/kiwoom-token" ] || continue
    tr '\0' ' ' <"$one/cmdline" 2>/dev/null | grep -q ' watch ' && echo "${one#/proc/}"
  done
  return 0
}

unit_of() {
  # the user's unit that runs this process, if it is one of systemd's
  systemctl --user show --type=service --property=Id --property=MainPID '*' 2>/dev/null | awk -v RS= -v pid="$1" '{
    id = ""; found = 0
    for (i = 1; i <= NF; i++) {
      if ($i == "MainPID=" pid) found = 1
      if (index($i, "Id=") == 1) id = substr($i, 4)
    }
    if (found) print id
  }'
}

change_units() {
  # RESTART-OR-STOP: the unit that this script has installed, and those of more accounts, whatever their names
  if command -v systemctl >/dev/null 2>&1; then
    systemctl --user daemon-reload >/dev/null 2>&1 || true
    for process in $watching; do
      unit=$(unit_of "$process")
      [ -z "$unit" ] || systemctl --user "$1" "$unit" >/dev/null 2>&1 || true
    done
  fi
}

stop() {
  if command -v systemctl >/dev/null 2>&1; then
    systemctl --user disable --now kiwoom-token-watch >/dev/null 2>&1 || true
  fi
  change_units stop
  remember
  quit_trays
  for one in $(trays); do
    echo "Kiwoom Token Tray (process $one) does not quit. End it: kill $one" >&2
  done
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

is_our_history() {
  # a bot may keep a database of the same name, or tables of its own, in the data folder
  [ "$(grep -ao 'CREATE TABLE' "$1" 2>/dev/null | wc -l)" -eq 1 ] &&
    grep -aqF 'CREATE TABLE events (id INTEGER PRIMARY KEY, at REAL NOT NULL, profile TEXT NOT NULL,' "$1"
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

remembered=$(mktemp -d)
trap 'rm -rf "$remembered"' EXIT

case ${1:-} in
--remove | --purge)
  watching=$(watches)
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
    if [ -n "$data" ] && is_our_history "$data/history.db"; then
      rm -f "$data/history.db" "$data/history.db-journal"
    fi
    if [ -n "$settings" ]; then
      rm -f "$settings" "$settings.lock"
      rmdir "${settings%/*}" 2>/dev/null || true
      if [ -e "${settings%/*}/keys.env" ]; then
        echo "The app key and secret stay in ${settings%/*}/keys.env." >&2
      fi
    fi
  fi
  for one in $watching; do
    if [ -d "/proc/$one" ]; then
      echo "kiwoom-token watch (process $one) still runs what has been removed. End it: kill $one" >&2
    fi
  done
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
watching=$(watches)
if [ -x "$place/$name" ]; then
  remember
  quit_trays
  for one in $(trays); do
    rm -rf "$place.new"
    start_trays
    echo "Kiwoom Token Tray (process $one) does not quit. End it (kill $one) and try again." >&2
    exit 1
  done
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
change_units try-restart
for one in $watching; do
  if [ -d "/proc/$one" ]; then # no unit of systemd: nobody but its user can start it again
    echo "kiwoom-token watch (process $one) still runs the old version, which fails without its files. End it and start it again." >&2
  fi
done
start_trays
case ":$PATH:" in
*":$prefix/bin:"*) ;;
*) echo "Add $prefix/bin to PATH, or call $prefix/bin/kiwoom-token by its path." ;;
esac
