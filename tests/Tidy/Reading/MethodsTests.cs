namespace LServe.Tests.Tidy;

public class MethodsTests
{
    [Fact]
    public void FindsEveryKindOfMethod()
    {
        const string code = """
            namespace A;
            public sealed class B(int x) : C
            {
                private readonly int[] _y = [.. F(1)];
                public int P { get; init; } = 1;
                public B() : this(1)
                {
                }
                [Attribute(1)]
                public int M<T>(T t)
                {
                    int Local() { return 1; }
                    if (x > 1) { return Local(); }
                    return 2;
                }
                public int E(int a) => a switch
                {
                    1 => 2,
                    _ => 3,
                };
                public record D(int Z)
                {
                    public static D operator +(D a, D b) => a;
                }
            }
            """;
        Assert.Equal([("B", 3), ("M", 7), ("E", 5), ("operator +", 1)], Methods.Of(new("A.cs", code)).Select(method => (method.Name, method.Length)));
    }
}
