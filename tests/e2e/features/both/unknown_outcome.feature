Feature: The bank's answer is not known yet
  Requests and replies get lost between the gateway and the bank. Such an action is PENDING in the
  reply, holds what it is about, and becomes final by itself: nobody has to do anything. A retry
  with the same idempotency key shows how it ended. What the bank itself refuses for good is final.

  Scenario: An authorization never reached the bank: it fails, and what it may have done is undone
    When I authorize 10.00 GBP on the card 4000 0000 0000 1018 with the key "order"
    Then the AUTHORIZE of 10.00 GBP is PENDING
    And the payment is still PENDING, with 0.00 GBP capturable and 0.00 GBP refundable
    And meanwhile all of these are refused with ACTION_PENDING
      | capture 1.00 GBP |
      | void it          |
      | refund 1.00 GBP  |
    And within 5 s the payment becomes FAILED
    And its history is
      | type      | amount    | status    |
      | AUTHORIZE | 10.00 GBP | FAILED    |
      | REVERSE   | 10.00 GBP | SUCCEEDED |
    And 0.00 GBP can be captured
    When I send the same request again
    Then it is a replay
    And the AUTHORIZE of 10.00 GBP is FAILED
    And the reply shows the payment FAILED
    When I capture 10.00 GBP
    Then it is refused with PAYMENT_FAILED

  Scenario: An authorization was approved but the reply got lost: it stands
    When I authorize 10.00 GBP on the card 4000 0000 0000 1026 with the key "order"
    Then the AUTHORIZE of 10.00 GBP is PENDING
    And the payment is still PENDING, with 0.00 GBP capturable and 0.00 GBP refundable
    When I send the same request again
    Then it is a replay
    And the AUTHORIZE of 10.00 GBP is PENDING
    And within 5 s the payment becomes AUTHORIZED
    And its history is
      | type      | amount    | status    |
      | AUTHORIZE | 10.00 GBP | SUCCEEDED |
    When I send the same request again
    Then it is a replay
    And the AUTHORIZE of 10.00 GBP is SUCCEEDED
    And the reply shows the payment AUTHORIZED
    When I capture 10.00 GBP
    Then the payment is CAPTURED

  Scenario Outline: A capture whose request or reply got lost is made once
    Given a payment of 10.00 GBP on the card <card>
    When I capture 4.00 GBP with the key "parcel"
    Then the CAPTURE of 4.00 GBP is PENDING
    And the payment is still AUTHORIZED, with 6.00 GBP capturable and 0.00 GBP refundable
    And meanwhile all of these are refused with ACTION_PENDING
      | void it         |
      | refund 1.00 GBP |
    And meanwhile all of these are refused with AMOUNT_EXCEEDS_CAPTURABLE
      | capture 6.01 GBP |
    And within 5 s the payment becomes PARTIALLY_CAPTURED
    And its history is
      | type      | amount    | status    |
      | AUTHORIZE | 10.00 GBP | SUCCEEDED |
      | CAPTURE   | 4.00 GBP  | SUCCEEDED |
    When I send the same request again
    Then it is a replay
    And the CAPTURE of 4.00 GBP is SUCCEEDED
    And the reply shows the payment PARTIALLY_CAPTURED
    And its amounts are
      | authorized | captured | refunded | capturable | refundable |
      | 10.00 GBP  | 4.00 GBP | 0.00 GBP | 6.00 GBP   | 4.00 GBP   |

    Examples: The reply got lost, the request got lost
      | card                |
      | 4000 0000 0000 1034 |
      | 4000 0000 0000 1042 |

  Scenario: While a final capture is in flight nothing else can be captured
    Given a payment of 10.00 GBP on the card 4000 0000 0000 1034
    When I capture 4.00 GBP as the final capture
    Then the CAPTURE of 4.00 GBP is PENDING
    And the payment is still AUTHORIZED, with 0.00 GBP capturable and 0.00 GBP refundable
    And meanwhile all of these are refused with ACTION_PENDING
      | capture 1.00 GBP |
    And within 5 s the payment becomes CAPTURED
    And 0.00 GBP can be captured

  Scenario: A refund was made but the reply got lost: it is made once
    Given a payment of 10.00 GBP on the card 4000 0000 0000 1059
    And 6.00 GBP are captured
    When I refund 4.00 GBP with the key "return"
    Then the REFUND of 4.00 GBP is PENDING
    And the payment is still PARTIALLY_CAPTURED, with 0.00 GBP capturable and 2.00 GBP refundable
    And meanwhile all of these are refused with ACTION_PENDING
      | capture 1.00 GBP |
    And meanwhile all of these are refused with AMOUNT_EXCEEDS_REFUNDABLE
      | refund 2.01 GBP |
    And within 5 s the payment becomes PARTIALLY_REFUNDED
    And its history is
      | type      | amount    | status    |
      | AUTHORIZE | 10.00 GBP | SUCCEEDED |
      | CAPTURE   | 6.00 GBP  | SUCCEEDED |
      | REFUND    | 4.00 GBP  | SUCCEEDED |
    When I send the same request again
    Then it is a replay
    And the REFUND of 4.00 GBP is SUCCEEDED
    And its amounts are
      | authorized | captured | refunded | capturable | refundable |
      | 10.00 GBP  | 6.00 GBP | 4.00 GBP | 0.00 GBP   | 2.00 GBP   |

  Scenario: A void was made but the reply got lost: it is made once
    Given a payment of 10.00 GBP on the card 4000 0000 0000 1091
    When I void it with the key "cancel"
    Then the VOID of 10.00 GBP is PENDING
    And the payment is still AUTHORIZED, with 0.00 GBP capturable and 0.00 GBP refundable
    And meanwhile all of these are refused with ACTION_PENDING
      | capture 1.00 GBP |
      | void it          |
      | refund 1.00 GBP  |
    And within 5 s the payment becomes VOIDED
    And its history is
      | type      | amount    | status    |
      | AUTHORIZE | 10.00 GBP | SUCCEEDED |
      | VOID      | 10.00 GBP | SUCCEEDED |
    When I send the same request again
    Then it is a replay
    And the VOID of 10.00 GBP is SUCCEEDED
    And the reply shows the payment VOIDED

  Scenario: The rest was released but the reply got lost: it is released once
    Given a payment of 10.00 GBP on the card 4000 0000 0000 1091
    And 4.00 GBP are captured
    When I void the rest with the key "rest"
    Then the VOID of 6.00 GBP is PENDING
    And the payment is still PARTIALLY_CAPTURED, with 0.00 GBP capturable and 4.00 GBP refundable
    And meanwhile all of these are refused with ACTION_PENDING
      | capture 1.00 GBP |
      | void it          |
      | void the rest    |
      | refund 1.00 GBP  |
    And within 5 s the payment becomes CAPTURED
    And its history is
      | type      | amount    | status    |
      | AUTHORIZE | 10.00 GBP | SUCCEEDED |
      | CAPTURE   | 4.00 GBP  | SUCCEEDED |
      | VOID      | 6.00 GBP  | SUCCEEDED |
    When I send the same request again
    Then it is a replay
    And the VOID of 6.00 GBP is SUCCEEDED
    And the reply shows the payment CAPTURED

  Scenario: An authorization that the bank refuses for good fails at once
    When I authorize 10.00 GBP on the card 4000 0000 0000 1109 with the key "order"
    Then the AUTHORIZE of 10.00 GBP is FAILED
    And the payment is FAILED
    And its history is
      | type      | amount    | status |
      | AUTHORIZE | 10.00 GBP | FAILED |
    When I send the same request again
    Then it is a replay
    And the AUTHORIZE of 10.00 GBP is FAILED

  Scenario: A capture that the bank refuses for good gives back what it had reserved
    Given a payment of 10.00 GBP on the card 4000 0000 0000 1117
    When I capture 4.00 GBP with the key "parcel"
    Then the CAPTURE of 4.00 GBP is FAILED
    And the payment is AUTHORIZED
    And 10.00 GBP can be captured
    When I send the same request again
    Then it is a replay
    And the CAPTURE of 4.00 GBP is FAILED
    When I void it
    Then the payment is VOIDED

  Scenario: A slow bank is waited for, and a twin of the request is told to come back
    When I authorize 10.00 GBP on the card 4000 0000 0000 1075 twice at once with the key "order"
    Then one is SUCCEEDED and the other is refused with IDEMPOTENCY_IN_FLIGHT and retry-after
    And the payment is AUTHORIZED
    When I send the same request again
    Then it is a replay
    And the AUTHORIZE of 10.00 GBP is SUCCEEDED
    When I capture 10.00 GBP
    Then the CAPTURE of 10.00 GBP is SUCCEEDED
    And the payment is CAPTURED
