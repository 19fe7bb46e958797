<# What the script of a page does, as one file for all pages of the site. #>
<% include "judge.js" %>

<% include "page.js" %>

