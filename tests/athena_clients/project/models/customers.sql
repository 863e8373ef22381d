SELECT customer, count(*) AS n FROM {{ ref('orders') }} GROUP BY customer
