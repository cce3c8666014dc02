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
    <name>TokenWindow</name>
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
        <source>Open the file</source>
        <translation>파일 열기</translation>
    </message>
    <message>
        <source>Snooze</source>
        <translation>알림</translation>
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
        <translation>갱신</translation>
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
        <translation>알려만 주기</translation>
    </message>
    <message>
        <source>Renew before the end</source>
        <translation>만료 전에 자동 갱신</translation>
    </message>
    <message>
        <source>Renew daily</source>
        <translation>매일 새로 받기</translation>
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
        <translation>매일 {time}에 새로 받기</translation>
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
        <translation>기본값으로</translation>
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
        <source>The keyring is locked, so the token lies in a file.</source>
        <translation>키링이 잠겨 있어 파일에 보관합니다.</translation>
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
        <source>The keyring is unlocked.</source>
        <translation>키링 잠금이 풀렸습니다.</translation>
    </message>
    <message>
        <source>That did not work.</source>
        <translation>처리하지 못했습니다.</translation>
    </message>
    <message>
        <source>Paused: it will not try again by itself.</source>
        <translation>자동 갱신을 멈췄습니다. 다시 시도하려면 직접 갱신하세요.</translation>
    </message>
    <message>
        <source>It only warns before the end. Renewing is up to you.</source>
        <translation>만료 전에 알려 드리기만 합니다. 갱신은 직접 하세요.</translation>
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
        <translation>{time}에 자동으로 갱신합니다.</translation>
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
</TS>
