; The installer for Windows, for one user and without administrator's rights.
;
;   makensis -DVERSION=… -DFOLDER=… -DOUTPUT=… -DROOT=… installer.nsi        (build.py does)
;
; Without questions:  setup.exe /S [/AUTOSTART=0|1] [/D=C:\a folder]           exit status 0, or 2 when nothing was changed
;                     uninstall.exe /S [/PURGE]
; An update asks the running programs to quit, and starts the tray again, but not the practice one. Settings and tokens stay.

!ifdef AMD64
  Target amd64-unicode ; where NSIS has it, as Debian's does; Wine without 32-bit libraries runs no other
!else
  Unicode true
!endif
ManifestDPIAware true
RequestExecutionLevel user
!ifdef QUICK
  SetCompress off ; for trying the installer
!else
  SetCompressor /SOLID lzma
!endif
Name "Kiwoom Token Tray"
OutFile "${OUTPUT}"
InstallDir "$LOCALAPPDATA\Programs\Kiwoom Token Tray"
InstallDirRegKey HKCU "Software\Microsoft\Windows\CurrentVersion\Uninstall\KiwoomTokenTray" "InstallLocation"

!include MUI2.nsh
!include FileFunc.nsh
!include LogicLib.nsh
!include x64.nsh
!include Win\COM.nsh
!include Win\Propkey.nsh

!define UNINSTALL_KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\KiwoomTokenTray"
!define RUN_KEY "Software\Microsoft\Windows\CurrentVersion\Run"
!define APPROVED_KEY "Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"
!define NAME "kiwoom-token-tray"
!define APP_ID "KiwoomTokenTray"
!define APP_ID_KEY "Software\Classes\AppUserModelId\${APP_ID}"
!define TOAST_ACTIVATOR "{56EA2396-78BE-4969-A8EC-960738070703}"
!define ACTIVATOR_KEY "Software\Classes\CLSID\${TOAST_ACTIVATOR}"
!define SHORTCUT "$SMPROGRAMS\Kiwoom Token Tray.lnk"

VIProductVersion "${VERSION}.0"
VIAddVersionKey /LANG=1033 ProductName "Kiwoom Token Tray"
VIAddVersionKey /LANG=1033 ProductVersion "${VERSION}"
VIAddVersionKey /LANG=1033 FileVersion "${VERSION}"
VIAddVersionKey /LANG=1033 FileDescription "Kiwoom Token Tray, setup"
VIAddVersionKey /LANG=1033 LegalCopyright "MIT licence"

!define MUI_ICON "${ROOT}/resources/icons/kiwoom-token-tray.ico"
!define MUI_UNICON "${ROOT}/resources/icons/kiwoom-token-tray.ico"
!define MUI_ABORTWARNING
!define MUI_FINISHPAGE_RUN "$INSTDIR\${NAME}.exe"
!insertmacro MUI_PAGE_LICENSE "${ROOT}/LICENSE"
!insertmacro MUI_PAGE_COMPONENTS
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_COMPONENTS
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE Korean
!insertmacro MUI_LANGUAGE English

LangString ProgramText ${LANG_KOREAN} "프로그램"
LangString ProgramText ${LANG_ENGLISH} "The programs"
LangString AutostartText ${LANG_KOREAN} "로그인할 때 시작"
LangString AutostartText ${LANG_ENGLISH} "Start at login"
LangString PathText ${LANG_KOREAN} "터미널에서 kiwoom-token 쓰기 (PATH)"
LangString PathText ${LANG_ENGLISH} "kiwoom-token in terminals (PATH)"
LangString PurgeText ${LANG_KOREAN} "설정, 모든 프로필의 토큰, 기록, 로그도 삭제"
LangString PurgeText ${LANG_ENGLISH} "Settings, all profiles' tokens, history and log as well"
LangString TokensLeftText ${LANG_KOREAN} "삭제하지 못한 토큰이 있어 프로그램과 설정을 그대로 둡니다. 해결한 뒤 다시 제거하세요."
LangString TokensLeftText ${LANG_ENGLISH} "Some token could not be removed, so the programs and settings stay. Correct that and uninstall again."
LangString RunningText ${LANG_KOREAN} "키움 토큰 트레이 또는 kiwoom-token이 실행 중입니다. 종료한 뒤 다시 시도하세요."
LangString RunningText ${LANG_ENGLISH} "Kiwoom Token Tray or kiwoom-token is running. Quit it and try again."
LangString NeedsText ${LANG_KOREAN} "64비트 Windows 10 이상이 필요합니다."
LangString NeedsText ${LANG_ENGLISH} "A 64-bit Windows 10 or newer is needed."

Var WasRunning
Var IsUpdate

; Sets $0 to 1 when the program `name` in the folder runs: Windows lets nobody write to it then.
!macro IsRunning name
  StrCpy $0 0
  ${If} ${FileExists} "$INSTDIR\${name}.exe"
    ClearErrors
    FileOpen $1 "$INSTDIR\${name}.exe" a
    ${If} ${Errors}
      StrCpy $0 1
    ${Else}
      FileClose $1
    ${EndIf}
  ${EndIf}
!macroend

; Ends with status 2 when a program runs and does not quit; else $WasRunning tells whether the tray ran, not for practice.
!macro QuitRunning un
Function ${un}QuitRunning
  StrCpy $WasRunning 0
  StrCpy $2 0
  ${Do}
    !insertmacro IsRunning "${NAME}"
    StrCpy $3 $0
    ${If} $3 == 1
      ; again every three seconds: a tray that is still starting does not hear it
      IntOp $4 $2 % 12
      ${If} $4 == 0
        ; the practice tray first: what still runs then is the real one, which alone is started again
        ExecWait '"$INSTDIR\${NAME}.exe" --quit --sandbox'
        Sleep 1000
        !insertmacro IsRunning "${NAME}"
        ${If} $0 == 1
          StrCpy $WasRunning 1
          ExecWait '"$INSTDIR\${NAME}.exe" --quit'
        ${EndIf}
      ${EndIf}
    ${EndIf}
    !insertmacro IsRunning "kiwoom-token"
    IntOp $3 $3 + $0
    ${If} $3 == 0
      ${Break}
    ${EndIf}
    IntOp $2 $2 + 1
    ${If} $2 > 40
      MessageBox MB_ICONSTOP|MB_OK "$(RunningText)" /SD IDOK
      SetErrorLevel 2
      Quit
    ${EndIf}
    Sleep 250
  ${Loop}
FunctionEnd
!macroend
!insertmacro QuitRunning ""
!insertmacro QuitRunning "un."

Section "$(ProgramText)" ProgramSection
  SectionIn RO
  Call QuitRunning
  SetOutPath "$INSTDIR"
  ; all of the old one goes first: a module that a version no longer has must not be found
  RMDir /r "$INSTDIR\_internal"
  File /r "${FOLDER}/*"
  WriteUninstaller "$INSTDIR\uninstall.exe"

  CreateShortCut "${SHORTCUT}" "$INSTDIR\${NAME}.exe" "--show" "$INSTDIR\${NAME}.exe" 0
  Call NameShortcut

  ; Windows calls this class, and starts the tray for it if need be, when a notice in its notification centre is clicked
  SetRegView 64 ; the classes of 64-bit programs
  WriteRegStr HKCU "${ACTIVATOR_KEY}" "" "Kiwoom Token Tray"
  WriteRegStr HKCU "${ACTIVATOR_KEY}\LocalServer32" "" '"$INSTDIR\${NAME}.exe"'
  SetRegView default
  WriteRegStr HKCU "${APP_ID_KEY}" "CustomActivator" "${TOAST_ACTIVATOR}"

  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayName" "Kiwoom Token Tray"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayIcon" "$INSTDIR\${NAME}.exe"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "Publisher" "Kiwoom Token Tray developers"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${UNINSTALL_KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "NoRepair" 1
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
  IntFmt $0 "0x%08X" $0
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "EstimatedSize" "$0"
SectionEnd

Section "$(PathText)" PathSection
  nsExec::Exec '"$INSTDIR\kiwoom-token.exe" --path add'
  Pop $0
SectionEnd

Section "$(AutostartText)" AutostartSection
  WriteRegStr HKCU "${RUN_KEY}" "${NAME}" '"$INSTDIR\${NAME}.exe" --background'
  DeleteRegValue HKCU "${APPROVED_KEY}" "${NAME}"
SectionEnd

Section "-last"
  ${IfNot} ${SectionIsSelected} ${AutostartSection}
    ReadRegStr $0 HKCU "${RUN_KEY}" "${NAME}"
    ${If} $0 == '"$INSTDIR\${NAME}.exe" --background'
      DeleteRegValue HKCU "${RUN_KEY}" "${NAME}"
    ${EndIf}
  ${EndIf}
  ${If} $WasRunning == 1
    Exec '"$INSTDIR\${NAME}.exe" --background'
  ${EndIf}
SectionEnd

Function .onInit
  ${IfNot} ${RunningX64}
    MessageBox MB_ICONSTOP|MB_OK "$(NeedsText)" /SD IDOK
    SetErrorLevel 2
    Quit
  ${EndIf}
  StrCpy $IsUpdate 0
  ${If} ${FileExists} "$INSTDIR\${NAME}.exe"
    StrCpy $IsUpdate 1
  ${EndIf}
  ; an update leaves what was chosen, there or in the program's settings
  ReadRegStr $0 HKCU "${RUN_KEY}" "${NAME}"
  ${If} $IsUpdate == 1
  ${AndIf} $0 == ""
    !insertmacro ClearSectionFlag ${AutostartSection} ${SF_SELECTED}
  ${EndIf}
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/AUTOSTART=" $1
  ${IfNot} ${Errors}
    ${If} $1 == 1
      !insertmacro SetSectionFlag ${AutostartSection} ${SF_SELECTED}
    ${Else}
      !insertmacro ClearSectionFlag ${AutostartSection} ${SF_SELECTED}
    ${EndIf}
  ${EndIf}
FunctionEnd

; Windows puts the notices of this program under the shortcut with the same AppUserModelID, and keeps them where that
; names what a click starts.
Function NameShortcut
  !insertmacro ComHlpr_CreateInProcInstance ${CLSID_ShellLink} ${IID_IShellLink} r0 ""
  ${If} $0 P<> 0
    ${IUnknown::QueryInterface} $0 '("${IID_IPersistFile}",.r1)'
    ${If} $1 P<> 0
      ${IPersistFile::Load} $1 '("${SHORTCUT}",${STGM_READWRITE})'
      ${IUnknown::QueryInterface} $0 '("${IID_IPropertyStore}",.r2)'
      ${If} $2 P<> 0
        System::Call '*${SYSSTRUCT_PROPERTYKEY}(${PKEY_AppUserModel_ID})p.r3'
        System::Call '*(&w64 "${APP_ID}")p.r5'
        System::Call '*${SYSSTRUCT_PROPVARIANT}(${VT_LPWSTR},,p r5)p.r4'
        ${IPropertyStore::SetValue} $2 '($3,$4)'
        System::Call '*(&g16 "${TOAST_ACTIVATOR}")p.r6'
        System::Call '*$3${SYSSTRUCT_PROPERTYKEY}(${PKEY_AppUserModel_ToastActivatorCLSID})'
        System::Call '*$4${SYSSTRUCT_PROPVARIANT}(${VT_CLSID},,p r6)'
        ${IPropertyStore::SetValue} $2 '($3,$4)'
        ${IPropertyStore::Commit} $2 ""
        System::Free $3
        System::Free $4
        System::Free $5
        System::Free $6
        ${IUnknown::Release} $2 ""
        ${IPersistFile::Save} $1 '("${SHORTCUT}",1)'
      ${EndIf}
      ${IUnknown::Release} $1 ""
    ${EndIf}
    ${IUnknown::Release} $0 ""
  ${EndIf}
FunctionEnd

Section "un.$(ProgramText)" UnProgramSection
  SectionIn RO
  Call un.QuitRunning
  Call un.ClearTokens
  nsExec::Exec '"$INSTDIR\kiwoom-token.exe" --path remove'
  Pop $0
  ; only what starts this copy
  ReadRegStr $0 HKCU "${RUN_KEY}" "${NAME}"
  ${If} $0 == '"$INSTDIR\${NAME}.exe" --background'
    DeleteRegValue HKCU "${RUN_KEY}" "${NAME}"
    DeleteRegValue HKCU "${APPROVED_KEY}" "${NAME}"
  ${EndIf}
SectionEnd

Section /o "un.$(PurgeText)" UnPurgeSection
  RMDir /r "$LOCALAPPDATA\kiwoom-token-tray"
  RMDir /r "$APPDATA\kiwoom-token-tray"
SectionEnd

Section "un.-last"
  Delete "${SHORTCUT}"
  RMDir /r "$INSTDIR\_internal"
  Delete "$INSTDIR\${NAME}.exe"
  Delete "$INSTDIR\kiwoom-token.exe"
  Delete "$INSTDIR\LICENSE.txt"
  Delete "$INSTDIR\THIRD-PARTY-NOTICES.txt"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  DeleteRegKey HKCU "${UNINSTALL_KEY}"
  DeleteRegKey HKCU "${APP_ID_KEY}"
  SetRegView 64
  DeleteRegKey HKCU "${ACTIVATOR_KEY}"
  SetRegView default
SectionEnd

; Asked of the program while it is there, and while the settings still name the places.
Function un.ClearTokens
  ${IfNot} ${SectionIsSelected} ${UnPurgeSection}
    Return
  ${EndIf}
  nsExec::ExecToStack '"$INSTDIR\kiwoom-token.exe" clear --all'
  Pop $0
  Pop $1
  ${If} $0 != 0 ; a number: "error", a program that cannot be started, keeps nobody from removing the rest
    MessageBox MB_OK|MB_ICONEXCLAMATION "$(TokensLeftText)$\r$\n$\r$\n$1" /SD IDOK
    Abort
  ${EndIf}
FunctionEnd

Function un.onInit
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/PURGE" $1
  ${IfNot} ${Errors}
    !insertmacro SetSectionFlag ${UnPurgeSection} ${SF_SELECTED}
  ${EndIf}
FunctionEnd
