namespace LServe.Tests.Browser;

/// <summary>How the page shows what models write, above all what they shouldn't.</summary>
public sealed class RenderingTests(Chromium chromium) : IClassFixture<Chromium>
{
    private readonly List<string> _problems = [];

    [ChromiumFact]
    public async Task MarkdownBecomesElements()
    {
        Assert.Equal(
            "<h3>Title</h3><p>Some <strong>bold</strong>, <em>slanted</em> and <code>x = a_b_c</code> text</p>",
            await RenderAsync("## Title\nSome **bold**, *slanted* and `x = a_b_c` text"));
        Assert.Equal(
            "<ol><li>one<ul><li>inside</li></ul></li><li>two</li></ol><ul><li>dot</li></ul>",
            await RenderAsync("1. one\n   - inside\n2. two\n\n- dot"));
        Assert.Equal("<blockquote><p>said</p></blockquote><hr>", await RenderAsync("> said\n\n---"));
        Assert.Contains("<pre><code>a &lt; b\n# no title</code></pre>", await RenderAsync("```python\na < b\n# no title\n```"), StringComparison.Ordinal);
    }

    [ChromiumFact]
    public async Task WhatIsHalfWrittenIsShownAsFarAsItGoes()
    {
        Assert.Contains("<pre><code>print(1)</code></pre>", await RenderAsync("```\nprint(1)"), StringComparison.Ordinal);
        Assert.Equal("<p>a **b</p>", await RenderAsync("a **b"));
        Assert.Equal("<p>2 * 3 * 4 and snake_case_name</p>", await RenderAsync("2 * 3 * 4 and snake_case_name"));
        Assert.Equal("", await RenderAsync(" \n\n"));
    }

    [ChromiumFact]
    public async Task MarkupOfAModelStaysText()
    {
        const string hostile = "<img src=x onerror=alert(1)> <script>alert(1)</script> [x](javascript:alert(1)) **<b onclick=alert(1)>**\n```<svg/onload=alert(1)>\n</code>";
        var page = await chromium.OpenAsync(_problems);
        var elements = await page.EvaluateAsync<string[]>(
            """
            async (text) => {
              const { render } = await import("/markdown.js");
              const place = document.getElementById("log");
              place.append(...render(text));
              return [...place.querySelectorAll("*")].flatMap((e) => [e.tagName, ...e.getAttributeNames()]);
            }
            """,
            hostile);

        Assert.DoesNotContain("IMG", elements);
        Assert.DoesNotContain("SCRIPT", elements);
        Assert.DoesNotContain("A", elements);
        Assert.DoesNotContain("SVG", elements);
        Assert.DoesNotContain(elements, name => name.StartsWith("on", StringComparison.Ordinal));
        Assert.Empty(_problems);
    }

    [ChromiumFact]
    public async Task ALongPromptShowsItsProgress()
    {
        var page = await chromium.OpenAsync(_problems);
        var shown = await page.EvaluateAsync<string>(
            """
            async () => {
              const { AnswerView } = await import("/view.js");
              const answer = new AnswerView(document.getElementById("log"));
              answer.take({ progress: { done: 512, total: 6000 } });
              return `${answer.item.querySelector("progress").value} ${answer.item.innerText}`;
            }
            """);

        Assert.Contains("512", shown, StringComparison.Ordinal);
        Assert.Contains("reading 512 of 6,000 tokens", shown, StringComparison.Ordinal);
    }

    private async Task<string> RenderAsync(string text)
    {
        var page = await chromium.OpenAsync(_problems);
        var html = await page.EvaluateAsync<string>(
            """
            async (text) => {
              const { render } = await import("/markdown.js");
              return render(text).map((element) => element.outerHTML).join("");
            }
            """,
            text);
        await page.CloseAsync();
        return html;
    }
}
