Feature: Look at payments
  GetPayment shows one payment, ListPaymentActions its history, ListPayments all payments of the
  merchant, newest first.

  Scenario: A payment shows its actions only when they are asked for
    Given a payment of 10.00 GBP of which 4.00 GBP are captured
    When I look at the payment
    Then it shows 0 actions
    When I look at the payment with its actions
    Then it shows 2 actions
    And its history is
      | type      | amount    | status    |
      | AUTHORIZE | 10.00 GBP | SUCCEEDED |
      | CAPTURE   | 4.00 GBP  | SUCCEEDED |

  Scenario: The history keeps everything that was asked of the bank, oldest first, numbered from 1
    Given a payment of 10.00 GBP on the card 4000 0000 0000 3238
    When I capture 4.00 GBP with the reference "parcel"
    And I capture 6.01 GBP
    And I refund 3.00 GBP
    And I refund 1.00 GBP
    Then its history is
      | type      | amount    | status    |
      | AUTHORIZE | 10.00 GBP | SUCCEEDED |
      | CAPTURE   | 4.00 GBP  | SUCCEEDED |
      | REFUND    | 3.00 GBP  | DECLINED  |
      | REFUND    | 1.00 GBP  | DECLINED  |
    And the list of its actions is the same

  Scenario: A history is read in pages
    Given a payment of 10.00 GBP
    And I capture 1.00 GBP
    And I capture 2.00 GBP
    And I refund 1.00 GBP
    And I refund 2.00 GBP
    When I read its actions in pages of 2
    Then the pages hold 2, 2 and 1
    And together they are its history

  Scenario: A page that ends with the list is the last one
    Given a payment of 10.00 GBP
    And I capture 10.00 GBP
    When I read its actions in pages of 2
    Then the pages hold 2

  Scenario: Payments are listed newest first, by what they have in common
    Given a merchant with no payments yet
    And these payments, one after the other
      | name   | amount    | reference | and then         |
      | first  | 10.00 GBP | order-1   |                  |
      | second | 20.00 GBP | order-10  | capture 1.00 GBP |
      | third  | 30.00 EUR | order-1   | void it          |
      | fourth | 40.00 GBP |           | capture 1.00 GBP |
    Then lists with these filters show
      | filter                                    | payments                     |
      |                                           | fourth, third, second, first |
      | status=PARTIALLY_CAPTURED                 | fourth, second               |
      | status=VOIDED                             | third                        |
      | status=REFUNDED                           |                              |
      | reference=order-1                         | third, first                 |
      | reference=order                           |                              |
      | created_after=second                      | fourth, third, second        |
      | created_before=second                     | first                        |
      | created_after=second created_before=third | second                       |
      | created_after=third created_before=second |                              |
      | reference=order-1 status=AUTHORIZED       | first                        |
    And the list shows each payment as looking at it does
    When I read the payments in pages of 3
    Then the pages hold 3 and 1
    And together they are fourth, third, second, first
    When I read the payments with reference=order-1 in pages of 1
    Then the pages hold 1 and 1
    And together they are third, first

  Scenario: The times of a filter may be long ago or far ahead
    Given a merchant with no payments yet
    And these payments, one after the other
      | name   | amount    | reference | and then |
      | first  | 10.00 GBP |           |          |
      | second | 20.00 GBP |           |          |
    Then lists with these filters show
      | filter                              | payments      |
      | created_before=9999-12-31T23:59:59Z | second, first |
      | created_before=0001-01-01T00:00:00Z |               |
      | created_after=9999-12-31T23:59:59Z  |               |
      | created_after=1970-01-01T00:00:00Z  | second, first |
      | created_after=1969-12-31T23:59:59Z  | second, first |
      | created_after=0001-01-01T00:00:00Z  | second, first |

  Scenario: Payments made while I read the pages neither repeat nor hide any
    Given a merchant with no payments yet
    And these payments, one after the other
      | name   | amount    | reference | and then |
      | first  | 10.00 GBP |           |          |
      | second | 20.00 GBP |           |          |
      | third  | 30.00 GBP |           |          |
    When I read the payments in pages of 2, and make another payment after the first page
    Then the pages hold 2 and 1
    And together they are third, second, first

  Scenario: A list that is followed goes on where it ended
    Given a merchant with no payments yet
    And these payments, one after the other
      | name   | amount    | reference | and then |
      | first  | 10.00 GBP |           |          |
      | second | 20.00 GBP |           |          |
      | third  | 30.00 GBP |           |          |
    When I follow the payments in pages of 2
    Then I am shown first, second and third
    When I go on following
    Then I am shown nothing
    Given these payments, one after the other
      | name   | amount    | reference | and then |
      | fourth | 40.00 GBP |           |          |
    When I go on following
    Then I am shown fourth

  Scenario: A history that is followed goes on where it ended
    Given a payment of 10.00 GBP
    When I follow its actions in pages of 1
    Then I am shown an AUTHORIZE
    When I capture 4.00 GBP
    And I go on following
    Then I am shown a CAPTURE

  Scenario: What changes can't be followed
    When I follow the payments with status=AUTHORIZED
    Then it is refused with VALIDATION_FAILED
    And it names the field follow

  Scenario: A filter that is there and empty is a mistake, not a wish for everything
    When I follow the payments with reference=
    Then it is refused with VALIDATION_FAILED
    And it names the field reference

  Scenario: A page has 20 unless I say otherwise, and 100 at most
    Given a merchant with no payments yet
    And 21 payments
    When I list payments with a page_size of 0
    Then there are 20, and more on the next page
    When I list payments with a page_size of 100
    Then there are 21, and no more

  Scenario Outline: A page token is good only for the list that gave it
    Given a payment of 10.00 GBP with the reference "tokens"
    And a payment of 10.00 GBP with the reference "tokens"
    When I list <what> with <token>
    Then it is refused with INVALID_PAGE_TOKEN
    And it repeats nothing that I sent

    Examples:
      | what                                     | token                                       |
      | the payments with the reference "tokens" | the page_token "garbage"                    |
      | the payments with the reference "tokens" | the page_token "Z2FyYmFnZQ"                 |
      | the payments with the reference "tokens" | the page_token "naïve ☕"                   |
      | the payments with the reference "tokens" | its own page_token, one letter changed      |
      | the payments with the reference "other"  | the page_token of "tokens"                  |
      | the payments with status AUTHORIZED      | the page_token of "tokens"                  |
      | the payments                             | the page_token of "tokens"                  |
      | the same as another merchant             | the page_token of "tokens"                  |
      | its actions                              | the page_token of "tokens"                  |
      | its actions                              | the page_token of another payment's actions |

  Scenario Outline: A filter that can be no payment's is refused
    When I list payments with <field> set to <value>
    Then it is refused with VALIDATION_FAILED
    And it names the field <field>
    And it repeats nothing that I sent

    Examples:
      | field     | value       |
      | reference | 256 × "r"   |
      | reference | "tab\u0009" |
