Feature: Let time pass
  The clock of the sandbox is turned, not waited for. An authorization runs out seven days after it
  was made: what was not captured by then is released.

  Scenario: An authorization that nobody captured expires
    Given a payment of 10.00 GBP
    When 7 days pass
    And everything due is done
    Then the payment is EXPIRED by now
    And its amounts are
      | authorized | captured | refunded | capturable | refundable |
      | 10.00 GBP  | 0.00 GBP | 0.00 GBP | 0.00 GBP   | 0.00 GBP   |
    And its history is
      | type      | status    | amount    |
      | AUTHORIZE | SUCCEEDED | 10.00 GBP |
      | EXPIRE    | SUCCEEDED | 10.00 GBP |

  Scenario: What time brings next is told
    Given a payment of 10.00 GBP
    Then its expiry is among what is due next
    When 7 days pass
    And everything due is done
    Then its expiry is no longer among what is due next

  Scenario Outline: Nothing is possible with an expired payment
    Given a payment of 10.00 GBP
    When 7 days pass
    And everything due is done
    And I <request>
    Then it is refused with PAYMENT_EXPIRED

    Examples:
      | request          |
      | capture 1.00 GBP |
      | void it          |
      | refund 1.00 GBP  |

  Scenario: What was captured stays captured, and can be refunded
    Given a payment of 10.00 GBP
    And 4.00 GBP are captured
    When 7 days pass
    And everything due is done
    Then the payment is CAPTURED by now
    And its amounts are
      | authorized | captured | refunded | capturable | refundable |
      | 10.00 GBP  | 4.00 GBP | 0.00 GBP | 0.00 GBP   | 4.00 GBP   |
    And its history is
      | type      | status    | amount    |
      | AUTHORIZE | SUCCEEDED | 10.00 GBP |
      | CAPTURE   | SUCCEEDED | 4.00 GBP  |
      | EXPIRE    | SUCCEEDED | 6.00 GBP  |

  Scenario: A day earlier nothing has happened yet
    Given a payment of 10.00 GBP
    When 6 days pass
    And everything due is done
    Then the payment is AUTHORIZED by now
    And 10.00 GBP can be captured

  Scenario: An idempotency key is free again when its day is over
    When I authorize 10.00 GBP with the key "once"
    And I send the same request again
    Then it is a replay
    When 2 days pass
    Then within 5 s the same request is carried out anew
