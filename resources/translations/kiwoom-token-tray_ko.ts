<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="ko_KR">
<context>
    <name>ClearDialog</name>
    <message>
        <source>Clear the token</source>
        <translation>토큰 지우기</translation>
    </message>
    <message>
        <source>On this computer &amp;only</source>
        <translation>이 컴퓨터에서만 지우기(&amp;O)</translation>
    </message>
    <message>
        <source>&amp;Revoke at Kiwoom too</source>
        <translation>키움에서도 폐기(&amp;R)</translation>
    </message>
    <message>
        <source>Programs here no longer get it. At Kiwoom it lives on until its end; asking again may bring it back.</source>
        <translation>이 컴퓨터의 프로그램은 더 이상 쓰지 않습니다. 키움에서는 만료될 때까지 유효하며, 다시 받으면 같은 토큰이 올 수 있습니다.</translation>
    </message>
    <message>
        <source>It ends at once for every program and computer that uses it.</source>
        <translation>이 토큰을 쓰는 모든 프로그램과 컴퓨터에서 바로 끊깁니다.</translation>
    </message>
    <message>
        <source>The token has expired; there is nothing to revoke.</source>
        <translation>이미 만료되어 폐기할 것이 없습니다.</translation>
    </message>
    <message>
        <source>&amp;Clear</source>
        <translation>지우기(&amp;C)</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>취소</translation>
    </message>
</context>
<context>
    <name>HistoryWindow</name>
    <message>
        <source>Time (KST)</source>
        <translation>시각(KST)</translation>
    </message>
    <message>
        <source>What happened</source>
        <translation>내용</translation>
    </message>
    <message>
        <source>Token until (KST)</source>
        <translation>토큰 만료(KST)</translation>
    </message>
    <message>
        <source>Program</source>
        <translation>프로그램</translation>
    </message>
    <message>
        <source>History of the last seven days</source>
        <translation>지난 7일의 기록</translation>
    </message>
    <message>
        <source>Picture of the last seven days</source>
        <translation>지난 7일의 그림</translation>
    </message>
    <message>
        <source>Profile</source>
        <translation>프로필</translation>
    </message>
    <message>
        <source>&amp;Show</source>
        <translation>보기(&amp;S)</translation>
    </message>
    <message>
        <source>Everything</source>
        <translation>모두</translation>
    </message>
    <message>
        <source>Requests to Kiwoom</source>
        <translation>키움에 한 요청</translation>
    </message>
    <message>
        <source>Failures</source>
        <translation>실패</translation>
    </message>
    <message>
        <source>From other programs</source>
        <translation>다른 프로그램에서</translation>
    </message>
    <message>
        <source>Cleared and revoked</source>
        <translation>지움과 폐기</translation>
    </message>
    <message>
        <source>Gaps in trading hours</source>
        <translation>장중 공백</translation>
    </message>
    <message>
        <source>Find</source>
        <translation>찾기</translation>
    </message>
    <message>
        <source>&amp;Export…</source>
        <translation>내보내기(&amp;E)…</translation>
    </message>
    <message>
        <source>The token rests in memory only, so nothing is recorded.</source>
        <translation>토큰을 메모리에만 두므로 기록을 남기지 않습니다.</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>내보내기</translation>
    </message>
    <message>
        <source>CSV for spreadsheets (*.csv)</source>
        <translation>스프레드시트용 CSV (*.csv)</translation>
    </message>
    <message>
        <source>Nothing has happened yet.
From the next token on, it is drawn here.</source>
        <translation>아직 기록된 일이 없습니다.
다음 토큰부터 여기에 그려집니다.</translation>
    </message>
    <message>
        <source>Gap in trading hours</source>
        <translation>장중 공백</translation>
    </message>
    <message>
        <source>Other gap</source>
        <translation>장외 공백</translation>
    </message>
    <message>
        <source>Issued</source>
        <translation>발급</translation>
    </message>
    <message>
        <source>Same again</source>
        <translation>같은 토큰</translation>
    </message>
    <message>
        <source>Taken over</source>
        <translation>넘겨받음</translation>
    </message>
    <message>
        <source>Stored</source>
        <translation>저장</translation>
    </message>
    <message>
        <source>Found</source>
        <translation>발견</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>실패</translation>
    </message>
    <message>
        <source>Cleared</source>
        <translation>지움</translation>
    </message>
    <message>
        <source>Revoked</source>
        <translation>폐기</translation>
    </message>
    <message>
        <source>Gone</source>
        <translation>없어짐</translation>
    </message>
</context>
<context>
    <name>KeysDialog</name>
    <message>
        <source>Kiwoom app key</source>
        <translation>키움 앱키</translation>
    </message>
    <message>
        <source>Copy both from openapi.kiwoom.com. Real and mock trading each have their own. They are kept in this computer&apos;s keyring.</source>
        <translation>openapi.kiwoom.com에서 둘 다 복사해 붙여 넣으세요. 실전과 모의는 앱키가 서로 다릅니다. 이 컴퓨터의 키링에 보관합니다.</translation>
    </message>
    <message>
        <source>&amp;Real trading</source>
        <translation>실전투자(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Mock trading</source>
        <translation>모의투자(&amp;M)</translation>
    </message>
    <message>
        <source>Check and &amp;keep</source>
        <translation>확인 후 저장(&amp;K)</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>취소</translation>
    </message>
    <message>
        <source>Account</source>
        <translation>구분</translation>
    </message>
    <message>
        <source>App k&amp;ey</source>
        <translation>앱키(App Key)(&amp;E)</translation>
    </message>
    <message>
        <source>App &amp;secret</source>
        <translation>시크릿키(Secret Key)(&amp;S)</translation>
    </message>
    <message>
        <source>Both fields hold the same text. Copy each by itself.</source>
        <translation>두 칸의 내용이 같습니다. 각각 복사해 넣으세요.</translation>
    </message>
    <message>
        <source>{count} characters</source>
        <translation>{count}자</translation>
    </message>
</context>
<context>
    <name>RotateDialog</name>
    <message>
        <source>Replace the token</source>
        <translation>토큰 교체</translation>
    </message>
    <message>
        <source>Revoke this token and get a new one now?</source>
        <translation>지금 토큰을 폐기하고 새로 받을까요?</translation>
    </message>
    <message>
        <source>Every program and computer that uses this token is cut off once. Those that take it from here get the new one by themselves; restart the others.</source>
        <translation>이 토큰을 쓰는 모든 프로그램과 컴퓨터의 연결이 한 번 끊깁니다. 여기서 토큰을 가져가는 프로그램은 새 토큰을 알아서 받지만, 나머지는 다시 시작해야 합니다.</translation>
    </message>
    <message>
        <source>&amp;Replace</source>
        <translation>교체(&amp;R)</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>취소</translation>
    </message>
</context>
<context>
    <name>SettingsWindow</name>
    <message>
        <source>Only &amp;warn</source>
        <translation>알림만 받기(&amp;W)</translation>
    </message>
    <message>
        <source>&amp;Renew by itself</source>
        <translation>자동 갱신(&amp;R)</translation>
    </message>
    <message>
        <source>A new token every &amp;day at</source>
        <translation>매일 교체(&amp;D)</translation>
    </message>
    <message>
        <source>Time of the new token, in Korea</source>
        <translation>교체할 한국 시각</translation>
    </message>
    <message>
        <source>You renew it, when you are told or before.</source>
        <translation>알림을 받거나 그 전에 직접 갱신합니다.</translation>
    </message>
    <message>
        <source>Shortly before its end and right after it. The token in use is never cut off.</source>
        <translation>만료 직전과 직후에 갱신합니다. 쓰고 있는 토큰은 끊기지 않습니다.</translation>
    </message>
    <message>
        <source> min</source>
        <translation>분</translation>
    </message>
    <message>
        <source> s</source>
        <translation>초</translation>
    </message>
    <message>
        <source>Every day</source>
        <translation>매일</translation>
    </message>
    <message>
        <source>From</source>
        <translation>부터</translation>
    </message>
    <message>
        <source>To</source>
        <translation>까지</translation>
    </message>
    <message>
        <source>Browse…</source>
        <translation>찾아보기…</translation>
    </message>
    <message>
        <source>{profile}, and all without a value of their own</source>
        <translation>{profile} 및 따로 정하지 않은 모든 프로필</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>설정</translation>
    </message>
    <message>
        <source>Renewal</source>
        <translation>갱신</translation>
    </message>
    <message>
        <source>Notices</source>
        <translation>알림</translation>
    </message>
    <message>
        <source>Other tools</source>
        <translation>다른 도구</translation>
    </message>
    <message>
        <source>Where it is kept</source>
        <translation>보관 위치</translation>
    </message>
    <message>
        <source>Program</source>
        <translation>프로그램</translation>
    </message>
    <message>
        <source>Sections</source>
        <translation>항목</translation>
    </message>
    <message>
        <source>&amp;Profile</source>
        <translation>프로필(&amp;P)</translation>
    </message>
    <message>
        <source>&amp;Enter keys…</source>
        <translation>앱키 입력(&amp;E)…</translation>
    </message>
    <message>
        <source>Set &amp;up again…</source>
        <translation>다시 설정(&amp;U)…</translation>
    </message>
    <message>
        <source>Open the &amp;file</source>
        <translation>설정 파일 열기(&amp;F)</translation>
    </message>
    <message>
        <source>&amp;Close</source>
        <translation>닫기(&amp;C)</translation>
    </message>
    <message>
        <source>As for all</source>
        <translation>공통값으로</translation>
    </message>
    <message>
        <source>Default</source>
        <translation>기본값으로</translation>
    </message>
    <message>
        <source>The environment variable {variable} says so; it cannot be changed here.</source>
        <translation>환경 변수 {variable}로 정해져 있어 여기서 바꿀 수 없습니다.</translation>
    </message>
    <message>
        <source>The same for all profiles.</source>
        <translation>모든 프로필에 같습니다.</translation>
    </message>
    <message>
        <source>As for all profiles.</source>
        <translation>모든 프로필의 공통값입니다.</translation>
    </message>
    <message>
        <source>A token that lives moves along.</source>
        <translation>유효한 토큰도 함께 옮깁니다.</translation>
    </message>
    <message>
        <source>Each has its own keys and its own token.</source>
        <translation>앱키와 토큰이 각각 따로 있습니다.</translation>
    </message>
    <message>
        <source>The only one that kiwoomcli knows is chosen by itself, and kept.</source>
        <translation>kiwoomcli에 계좌가 하나뿐이면 저절로 골라 그대로 둡니다.</translation>
    </message>
    <message>
        <source>By this computer&apos;s clock. What is urgent is told all the same.</source>
        <translation>이 컴퓨터 시각 기준입니다. 급한 알림은 그대로 옵니다.</translation>
    </message>
    <message>
        <source>It then needs no token of its own.</source>
        <translation>그러면 kiwoomcli가 토큰을 따로 발급하지 않습니다.</translation>
    </message>
    <message>
        <source>In plain text, readable by you alone.</source>
        <translation>평문이며 본인만 읽을 수 있습니다.</translation>
    </message>
    <message>
        <source>An address with a password is not kept here: put it in KIWOOM_TRAY_REDIS_URL.</source>
        <translation>비밀번호가 든 주소는 여기에 두지 않습니다. KIWOOM_TRAY_REDIS_URL 환경 변수에 넣으세요.</translation>
    </message>
    <message>
        <source>So that the icon can be seen on it.</source>
        <translation>아이콘이 잘 보이게 합니다.</translation>
    </message>
    <message>
        <source>Not while practising.</source>
        <translation>연습 중에는 바꿀 수 없습니다.</translation>
    </message>
    <message>
        <source>Switched off in the system&apos;s own settings.</source>
        <translation>시스템 설정에서 꺼져 있습니다.</translation>
    </message>
    <message>
        <source>Another copy of this program starts: {command}. Switch it on to change that.</source>
        <translation>다른 위치의 프로그램이 시작됩니다: {command}. 바꾸려면 켜세요.</translation>
    </message>
</context>
<context>
    <name>Setup</name>
    <message>
        <source>Cancel</source>
        <translation>취소</translation>
    </message>
    <message>
        <source>&amp;Later</source>
        <translation>나중에(&amp;L)</translation>
    </message>
    <message>
        <source>Sk&amp;ip</source>
        <translation>건너뛰기(&amp;I)</translation>
    </message>
    <message>
        <source>Set up Kiwoom Token Tray</source>
        <translation>시작 설정 - 키움 토큰 트레이</translation>
    </message>
    <message>
        <source>&amp;Back</source>
        <translation>이전(&amp;B)</translation>
    </message>
    <message>
        <source>Step {step} of {count}</source>
        <translation>{count}단계 중 {step}단계</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>저장</translation>
    </message>
    <message>
        <source>&amp;Next</source>
        <translation>다음(&amp;N)</translation>
    </message>
    <message>
        <source>Welcome</source>
        <translation>시작하기</translation>
    </message>
    <message>
        <source>This program keeps one Kiwoom token alive and lends it to all your trading programs, so that none of them asks twice. It lives as an icon next to the clock.</source>
        <translation>키움 토큰 하나를 계속 유지하면서 모든 매매 프로그램이 함께 쓰게 해 줍니다. 프로그램마다 토큰을 따로 받을 필요가 없습니다. 시계 옆 아이콘으로 실행됩니다.</translation>
    </message>
    <message>
        <source>&amp;Use my Kiwoom account</source>
        <translation>내 키움 계좌로 시작(&amp;U)</translation>
    </message>
    <message>
        <source>With the app key and secret that openapi.kiwoom.com gave you.</source>
        <translation>openapi.kiwoom.com에서 받은 앱키와 시크릿키가 필요합니다.</translation>
    </message>
    <message>
        <source>&amp;Practise first, without keys</source>
        <translation>앱키 없이 먼저 연습(&amp;P)</translation>
    </message>
    <message>
        <source>With a Kiwoom on this computer: no account, no orders. Nothing is kept; the next start asks again.</source>
        <translation>이 컴퓨터 안의 연습용 키움을 씁니다. 계좌도 주문도 없고 저장되는 것도 없습니다. 다음에 실행하면 다시 묻습니다.</translation>
    </message>
    <message>
        <source>Start practisi&amp;ng</source>
        <translation>연습 시작(&amp;N)</translation>
    </message>
    <message>
        <source>App key and secret</source>
        <translation>앱키와 시크릿키</translation>
    </message>
    <message>
        <source>&amp;Close</source>
        <translation>닫기(&amp;C)</translation>
    </message>
    <message>
        <source>&amp;Check and keep</source>
        <translation>확인 후 저장(&amp;C)</translation>
    </message>
    <message>
        <source>&amp;Other keys</source>
        <translation>다른 앱키 입력(&amp;O)</translation>
    </message>
    <message>
        <source>✓ Kiwoom has accepted the keys for {mode}.</source>
        <translation>✓ 키움이 {mode} 앱키를 확인했습니다.</translation>
    </message>
    <message>
        <source>Asking Kiwoom for a token with these keys…</source>
        <translation>이 앱키로 키움에 토큰을 요청하는 중…</translation>
    </message>
    <message>
        <source>Waiting for the keyring to be unlocked…</source>
        <translation>키링 잠금 해제를 기다리는 중…</translation>
    </message>
    <message>
        <source>Looking for keys that are already on this computer…</source>
        <translation>이 컴퓨터에 이미 있는 앱키를 찾는 중…</translation>
    </message>
    <message>
        <source>This computer has no keyring, and keys are kept nowhere else. Set them in the environment instead: APP_KEY and APP_SECRET, for mock trading APP_KEY_MOCK and APP_SECRET_MOCK.</source>
        <translation>이 컴퓨터에는 키링이 없고, 앱키는 키링에만 저장합니다. 대신 환경 변수로 넣어 주세요: APP_KEY, APP_SECRET (모의투자는 APP_KEY_MOCK, APP_SECRET_MOCK).</translation>
    </message>
    <message>
        <source>The keyring is locked. Unlock it to use keys that lie in it, or to keep new ones.</source>
        <translation>키링이 잠겨 있습니다. 저장된 앱키를 쓰거나 새로 저장하려면 잠금을 풀어 주세요.</translation>
    </message>
    <message>
        <source>The keyring does not answer, so no keys can be kept at the moment.</source>
        <translation>키링이 응답하지 않아 지금은 앱키를 저장할 수 없습니다.</translation>
    </message>
    <message>
        <source>These keys are already on this computer:</source>
        <translation>이 컴퓨터에 이미 앱키가 있습니다.</translation>
    </message>
    <message>
        <source>Open Kiwoom&apos;s si&amp;te</source>
        <translation>키움 사이트 열기(&amp;T)</translation>
    </message>
    <message>
        <source>Check them &amp;for mock trading</source>
        <translation>모의투자로 확인(&amp;F)</translation>
    </message>
    <message>
        <source>Check them &amp;for real trading</source>
        <translation>실전투자로 확인(&amp;F)</translation>
    </message>
    <message>
        <source>&amp;Unlock the keyring…</source>
        <translation>키링 잠금 해제(&amp;U)…</translation>
    </message>
    <message>
        <source>Look &amp;again</source>
        <translation>다시 확인(&amp;A)</translation>
    </message>
    <message>
        <source>Where the token rests</source>
        <translation>토큰 보관 위치</translation>
    </message>
    <message>
        <source>Never in a &amp;file</source>
        <translation>파일에는 절대 저장하지 않기(&amp;F)</translation>
    </message>
    <message>
        <source>When the keyring cannot be used, there is then no token.</source>
        <translation>키링을 쓸 수 없을 때는 토큰도 없습니다.</translation>
    </message>
    <message>
        <source>Every day</source>
        <translation>자동 실행과 갱신</translation>
    </message>
    <message>
        <source>&amp;Start when I log in</source>
        <translation>로그인할 때 시작(&amp;T)</translation>
    </message>
    <message>
        <source>Quietly, with just the icon. A token is then there before your programs need it.</source>
        <translation>창 없이 아이콘만 뜹니다. 프로그램이 쓰기 전에 토큰이 준비됩니다.</translation>
    </message>
    <message>
        <source>Let &amp;kiwoomcli use this token</source>
        <translation>kiwoomcli도 이 토큰 사용(&amp;K)</translation>
    </message>
    <message>
        <source>Kiwoom&apos;s own program then does not ask for another one.</source>
        <translation>키움의 kiwoomcli가 토큰을 따로 받지 않습니다.</translation>
    </message>
    <message>
        <source>When the token nears its &amp;end</source>
        <translation>토큰이 만료될 때(&amp;E)</translation>
    </message>
    <message>
        <source>Ready, but for the keys</source>
        <translation>앱키만 있으면 됩니다</translation>
    </message>
    <message>
        <source>Ready</source>
        <translation>준비되었습니다</translation>
    </message>
    <message>
        <source>Your programs get the token from here</source>
        <translation>프로그램에서 토큰을 쓰려면</translation>
    </message>
    <message>
        <source>In a terminal, or in Python:</source>
        <translation>터미널이나 파이썬에서:</translation>
    </message>
    <message>
        <source>&amp;Finish</source>
        <translation>완료(&amp;F)</translation>
    </message>
    <message>
        <source>Use {variable} of the environment, for {mode}</source>
        <translation>환경 변수 {variable}의 {mode} 앱키 사용</translation>
    </message>
    <message>
        <source>Use kiwoomcli&apos;s keys for {mode} ({alias})</source>
        <translation>kiwoomcli의 {mode} 앱키 사용 ({alias})</translation>
    </message>
    <message>
        <source>Use the keys for {mode} in the keyring</source>
        <translation>키링에 있는 {mode} 앱키 사용</translation>
    </message>
    <message>
        <source>Saving…</source>
        <translation>저장하는 중…</translation>
    </message>
    <message>
        <source>Asking the keyring…</source>
        <translation>키링을 확인하는 중…</translation>
    </message>
    <message>
        <source>In Windows Credential Manager</source>
        <translation>Windows 자격 증명 관리자</translation>
    </message>
    <message>
        <source>In the Keychain</source>
        <translation>키체인</translation>
    </message>
    <message>
        <source>In the keyring</source>
        <translation>키링</translation>
    </message>
    <message>
        <source>In a file that only you can read</source>
        <translation>나만 읽을 수 있는 파일</translation>
    </message>
    <message>
        <source>In memory</source>
        <translation>메모리</translation>
    </message>
    <message>
        <source>In Redis</source>
        <translation>Redis</translation>
    </message>
    <message>
        <source>The environment variable KIWOOM_TRAY_STORE says so.</source>
        <translation>환경 변수 KIWOOM_TRAY_STORE에 따른 것입니다.</translation>
    </message>
    <message>
        <source>The settings say so.</source>
        <translation>설정에 따른 것입니다.</translation>
    </message>
    <message>
        <source>Encrypted by the system and opened by your login, together with the keys.</source>
        <translation>앱키와 함께 시스템이 암호화하고, 로그인하면 열립니다.</translation>
    </message>
    <message>
        <source>This computer has no keyring.</source>
        <translation>이 컴퓨터에는 키링이 없습니다.</translation>
    </message>
    <message>
        <source>The keyring is locked. Once it is unlocked, the token moves there.</source>
        <translation>키링이 잠겨 있습니다. 잠금을 풀면 토큰을 그곳으로 옮깁니다.</translation>
    </message>
    <message>
        <source>The keyring does not answer. Once it does, the token moves there.</source>
        <translation>키링이 응답하지 않습니다. 응답하면 토큰을 그곳으로 옮깁니다.</translation>
    </message>
    <message>
        <source>Renew it (recommended)</source>
        <translation>자동 갱신 (권장)</translation>
    </message>
    <message>
        <source>Only warn me</source>
        <translation>알림만 받기</translation>
    </message>
    <message>
        <source>Renew it every day at {time}</source>
        <translation>매일 {time}에 교체</translation>
    </message>
    <message>
        <source>The next token is there as soon as the present one ends. You are warned if that fails.</source>
        <translation>지금 토큰이 만료되면 바로 다음 토큰을 받습니다. 실패하면 알려 드립니다.</translation>
    </message>
    <message>
        <source>You renew it yourself, from the icon&apos;s menu.</source>
        <translation>아이콘 메뉴에서 직접 갱신합니다.</translation>
    </message>
    <message>
        <source>In Korean time, so that it never ends while the market is open. The old token ends at once: every program that uses it is cut off once.</source>
        <translation>한국 시각 기준이며, 장중에 만료되는 일이 없습니다. 이전 토큰은 바로 폐기되므로 쓰고 있던 프로그램이 모두 한 번 끊깁니다.</translation>
    </message>
    <message>
        <source>There are no new keys</source>
        <translation>새로 저장한 앱키가 없습니다</translation>
    </message>
    <message>
        <source>You can enter them at any time: click the icon.</source>
        <translation>아이콘을 클릭하면 언제든지 입력할 수 있습니다.</translation>
    </message>
    <message>
        <source>The first token lives until {time} (KST)</source>
        <translation>첫 토큰은 {time}까지 유효합니다 (KST)</translation>
    </message>
    <message>
        <source>This desktop shows no icons</source>
        <translation>이 데스크톱에는 아이콘이 나타나지 않습니다</translation>
    </message>
    <message>
        <source>A small window stands in. On GNOME, the extension AppIndicator brings the icon.</source>
        <translation>대신 작은 창을 띄웁니다. GNOME에서는 AppIndicator 확장을 설치하면 아이콘이 나타납니다.</translation>
    </message>
    <message>
        <source>Look for the icon in the menu bar</source>
        <translation>메뉴 막대에서 아이콘을 확인하세요</translation>
    </message>
    <message>
        <source>Look for the icon next to the clock</source>
        <translation>시계 옆에서 아이콘을 확인하세요</translation>
    </message>
    <message>
        <source>It shows how long the token still lives. Click it for everything else.</source>
        <translation>토큰이 얼마나 남았는지 보여 줍니다. 나머지는 아이콘을 클릭하세요.</translation>
    </message>
    <message>
        <source>Windows 11 hides new icons under ^: open that and drag the icon down onto the taskbar.</source>
        <translation>Windows 11은 새 아이콘을 ^ 안에 숨깁니다. ^를 열고 아이콘을 작업 표시줄로 끌어다 놓으세요.</translation>
    </message>
</context>
<context>
    <name>TokenWindow</name>
    <message>
        <source>It is on the clipboard.</source>
        <translation>클립보드에 있습니다.</translation>
    </message>
    <message>
        <source>Clear…</source>
        <translation>지우기…</translation>
    </message>
    <message>
        <source>Clear the token…</source>
        <translation>토큰 지우기…</translation>
    </message>
    <message>
        <source>Replace…</source>
        <translation>교체…</translation>
    </message>
    <message>
        <source>Revoke the token and get a new one…</source>
        <translation>토큰을 폐기하고 새로 받기…</translation>
    </message>
    <message>
        <source>Copy the token</source>
        <translation>토큰 복사</translation>
    </message>
    <message>
        <source>It leaves the clipboard after {seconds} s.</source>
        <translation>{seconds}초 뒤 클립보드에서 지워집니다.</translation>
    </message>
    <message>
        <source>Open the file</source>
        <translation>파일 열기</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>보기</translation>
    </message>
    <message>
        <source>Snooze</source>
        <translation>알림 끄기</translation>
    </message>
    <message>
        <source>History</source>
        <translation>기록</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>설정</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>종료</translation>
    </message>
    <message>
        <source>Profile</source>
        <translation>프로필</translation>
    </message>
    <message>
        <source>Warn again</source>
        <translation>알림 다시 받기</translation>
    </message>
    <message>
        <source>Life of the token</source>
        <translation>토큰 수명</translation>
    </message>
    <message>
        <source>Kept in</source>
        <translation>보관 위치</translation>
    </message>
    <message>
        <source>Last</source>
        <translation>최근</translation>
    </message>
    <message>
        <source>Next</source>
        <translation>다음</translation>
    </message>
</context>
<context>
    <name>Tray</name>
    <message>
        <source>Starting…</source>
        <translation>시작하는 중…</translation>
    </message>
    <message>
        <source>Refresh now</source>
        <translation>지금 갱신</translation>
    </message>
    <message>
        <source>Copy token</source>
        <translation>토큰 복사</translation>
    </message>
    <message>
        <source>Snooze warnings</source>
        <translation>알림 잠시 끄기</translation>
    </message>
    <message>
        <source>Profile</source>
        <translation>프로필</translation>
    </message>
    <message>
        <source>Renewal</source>
        <translation>갱신 방식</translation>
    </message>
    <message>
        <source>Settings…</source>
        <translation>설정…</translation>
    </message>
    <message>
        <source>Clear token…</source>
        <translation>토큰 지우기…</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>열기</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>종료</translation>
    </message>
    <message>
        <source>Warn again</source>
        <translation>알림 다시 받기</translation>
    </message>
    <message>
        <source>Only warn</source>
        <translation>알림만 받기</translation>
    </message>
    <message>
        <source>Renew before the end</source>
        <translation>만료 전에 자동 갱신</translation>
    </message>
    <message>
        <source>Renew daily</source>
        <translation>매일 교체</translation>
    </message>
</context>
<context>
    <name>View</name>
    <message>
        <source>Kiwoom Token Tray</source>
        <translation>키움 토큰 트레이</translation>
    </message>
    <message>
        <source>Real</source>
        <translation>실전</translation>
    </message>
    <message>
        <source>Mock</source>
        <translation>모의</translation>
    </message>
    <message>
        <source>Practice</source>
        <translation>연습</translation>
    </message>
    <message>
        <source>Time left</source>
        <translation>남은 시간</translation>
    </message>
    <message>
        <source>Little time left</source>
        <translation>얼마 남지 않음</translation>
    </message>
    <message>
        <source>Ending soon</source>
        <translation>곧 만료</translation>
    </message>
    <message>
        <source>Expired</source>
        <translation>만료됨</translation>
    </message>
    <message>
        <source>One moment…</source>
        <translation>잠시만요…</translation>
    </message>
    <message>
        <source>No token</source>
        <translation>토큰 없음</translation>
    </message>
    <message>
        <source>Looking for the token…</source>
        <translation>토큰을 확인하는 중…</translation>
    </message>
    <message>
        <source>The token has expired</source>
        <translation>토큰이 만료되었습니다</translation>
    </message>
    <message>
        <source>Less than a minute left</source>
        <translation>남은 시간 1분 미만</translation>
    </message>
    <message>
        <source>{duration} left</source>
        <translation>남은 시간 {duration}</translation>
    </message>
    <message>
        <source>Renew daily at {time}</source>
        <translation>매일 {time}에 교체</translation>
    </message>
    <message>
        <source>Ended {time}</source>
        <translation>{time}에 끝났음</translation>
    </message>
    <message>
        <source>Ends at {time}, in trading hours</source>
        <translation>장중 {time}에 끝남</translation>
    </message>
    <message>
        <source>Ends {time}, in trading hours</source>
        <translation>{time} 장중에 끝남</translation>
    </message>
    <message>
        <source>Ends {time}</source>
        <translation>{time}에 끝남</translation>
    </message>
    <message>
        <source>{time} on this computer</source>
        <translation>이 컴퓨터 시각 {time}</translation>
    </message>
    <message>
        <source>{remaining} (until {time})</source>
        <translation>{remaining} ({time}까지)</translation>
    </message>
    <message>
        <source>{remaining} ({time})</source>
        <translation>{remaining} ({time})</translation>
    </message>
    <message>
        <source>Kiwoom token</source>
        <translation>키움 토큰</translation>
    </message>
    <message>
        <source>needs you</source>
        <translation>확인 필요</translation>
    </message>
    <message>
        <source>until {time}</source>
        <translation>{time}까지</translation>
    </message>
    <message>
        <source>Default</source>
        <translation>기본</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>복사</translation>
    </message>
    <message>
        <source>Copied · {seconds} s</source>
        <translation>복사됨 · {seconds}초</translation>
    </message>
    <message>
        <source>No warnings until {time}</source>
        <translation>{time}까지 알림 끔</translation>
    </message>
    <message>
        <source>Snooze warnings</source>
        <translation>알림 잠시 끄기</translation>
    </message>
    <message>
        <source>Get a token</source>
        <translation>토큰 받기</translation>
    </message>
    <message>
        <source>Refresh now</source>
        <translation>지금 갱신</translation>
    </message>
    <message>
        <source>Asking Kiwoom for a token…</source>
        <translation>키움에 토큰을 요청하는 중…</translation>
    </message>
    <message>
        <source>Revoking the token and asking for a new one…</source>
        <translation>토큰을 폐기하고 새로 받는 중…</translation>
    </message>
    <message>
        <source>Clearing the token…</source>
        <translation>토큰을 지우는 중…</translation>
    </message>
    <message>
        <source>Revoking the token at Kiwoom…</source>
        <translation>키움에서 토큰을 폐기하는 중…</translation>
    </message>
    <message>
        <source>Waiting for the keyring to be unlocked…</source>
        <translation>키링 잠금 해제를 기다리는 중…</translation>
    </message>
    <message>
        <source>Windows Credential Manager</source>
        <translation>Windows 자격 증명 관리자</translation>
    </message>
    <message>
        <source>Keychain</source>
        <translation>키체인</translation>
    </message>
    <message>
        <source>Keyring</source>
        <translation>키링</translation>
    </message>
    <message>
        <source>File</source>
        <translation>파일</translation>
    </message>
    <message>
        <source>Memory only: gone when the program ends</source>
        <translation>메모리 (프로그램을 끝내면 사라집니다)</translation>
    </message>
    <message>
        <source>The keyring is locked.</source>
        <translation>키링이 잠겨 있습니다.</translation>
    </message>
    <message>
        <source>The keyring is locked, so the token lies in a file.</source>
        <translation>키링이 잠겨 있어 파일에 보관합니다.</translation>
    </message>
    <message>
        <source>The keyring does not answer.</source>
        <translation>키링이 응답하지 않습니다.</translation>
    </message>
    <message>
        <source>The keyring does not answer, so the token lies in a file.</source>
        <translation>키링이 응답하지 않아 파일에 보관합니다.</translation>
    </message>
    <message>
        <source>This computer has no keyring, so the token lies in a file.</source>
        <translation>이 컴퓨터에 키링이 없어 파일에 보관합니다.</translation>
    </message>
    <message>
        <source>The token does not fit into the keyring, so it lies in a file.</source>
        <translation>토큰이 키링에 들어가지 않아 파일에 보관합니다.</translation>
    </message>
    <message>
        <source>The keyring failed, so the token lies in a file.</source>
        <translation>키링에 문제가 생겨 파일에 보관합니다.</translation>
    </message>
    <message>
        <source>This token was issued.</source>
        <translation>현재 토큰이 발급되었습니다.</translation>
    </message>
    <message>
        <source>Kiwoom issued a new token.</source>
        <translation>새 토큰을 받았습니다.</translation>
    </message>
    <message>
        <source>Kiwoom gave the same token back. Its end stays as it was.</source>
        <translation>키움이 같은 토큰을 돌려주었습니다. 만료 시각은 그대로입니다.</translation>
    </message>
    <message>
        <source>A token that another program got is in use.</source>
        <translation>다른 프로그램이 받은 토큰을 함께 씁니다.</translation>
    </message>
    <message>
        <source>The token was cleared here. At Kiwoom it may still be alive.</source>
        <translation>이 컴퓨터에서 토큰을 지웠습니다. 키움에서는 아직 유효할 수 있습니다.</translation>
    </message>
    <message>
        <source>The token was revoked at Kiwoom and cleared here.</source>
        <translation>키움에서 토큰을 폐기하고 이 컴퓨터에서도 지웠습니다.</translation>
    </message>
    <message>
        <source>Kiwoom no longer accepted the token. It was cleared here.</source>
        <translation>키움에서 이미 효력이 없는 토큰이어서 이 컴퓨터에서 지웠습니다.</translation>
    </message>
    <message>
        <source>Another program has cleared the token.</source>
        <translation>다른 프로그램이 토큰을 지웠습니다.</translation>
    </message>
    <message>
        <source>There was no token of this account. The one that is there belongs to other keys and stays.</source>
        <translation>이 계좌의 토큰은 없었습니다. 다른 키로 발급된 토큰이 있어 그대로 두었습니다.</translation>
    </message>
    <message>
        <source>The keyring is unlocked.</source>
        <translation>키링 잠금이 풀렸습니다.</translation>
    </message>
    <message>
        <source>That did not work.</source>
        <translation>처리하지 못했습니다.</translation>
    </message>
    <message>
        <source>Paused: it will not try again by itself.</source>
        <translation>자동 갱신을 멈췄습니다. 문제를 해결한 뒤 다시 시도하세요.</translation>
    </message>
    <message>
        <source>It only warns before the end. Renewing is up to you.</source>
        <translation>만료 전에 알려 드리기만 합니다. 갱신은 직접 하세요.</translation>
    </message>
    <message>
        <source>It waits until you or a program gets a token again.</source>
        <translation>직접 또는 다른 프로그램이 토큰을 받을 때까지 기다립니다.</translation>
    </message>
    <message>
        <source>Renews by itself in a moment.</source>
        <translation>곧 자동으로 갱신합니다.</translation>
    </message>
    <message>
        <source>Next try: {time}.</source>
        <translation>{time}에 다시 시도합니다.</translation>
    </message>
    <message>
        <source>Renews by itself: {time}.</source>
        <translation>{time}에 갱신 예정.</translation>
    </message>
    <message>
        <source>This computer&apos;s clock is {duration} behind Kiwoom&apos;s.</source>
        <translation>이 컴퓨터 시계가 키움보다 {duration} 느립니다.</translation>
    </message>
    <message>
        <source>This computer&apos;s clock is {duration} ahead of Kiwoom&apos;s.</source>
        <translation>이 컴퓨터 시계가 키움보다 {duration} 빠릅니다.</translation>
    </message>
    <message>
        <source>Enter the keys…</source>
        <translation>앱키 입력…</translation>
    </message>
    <message>
        <source>Switch to mock</source>
        <translation>모의로 전환</translation>
    </message>
    <message>
        <source>Switch to real</source>
        <translation>실전으로 전환</translation>
    </message>
    <message>
        <source>Open Kiwoom&apos;s site</source>
        <translation>키움 사이트 열기</translation>
    </message>
    <message>
        <source>Unlock the keyring…</source>
        <translation>키링 잠금 해제…</translation>
    </message>
    <message>
        <source>Revoke and renew</source>
        <translation>폐기 후 새로 받기</translation>
    </message>
</context>
<context>
    <name>language</name>
    <message>
        <source>Kiwoom Token Tray</source>
        <translation>키움 토큰 트레이</translation>
    </message>
</context>
</TS>
