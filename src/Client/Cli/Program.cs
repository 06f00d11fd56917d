Console.WriteLine("lserve");
